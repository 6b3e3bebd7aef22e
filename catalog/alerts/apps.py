from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "catalog.alerts"
    label = "alerts"
    verbose_name = "Alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from catalog.alerts import of_names, of_offers, of_syncs  # noqa: F401  they register

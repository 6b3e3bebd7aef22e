from django.apps import AppConfig


class LeasesConfig(AppConfig):
    name = "billing.leases"
    label = "leases"
    verbose_name = "Leases"
    default_auto_field = "django.db.models.BigAutoField"

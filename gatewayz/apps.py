from django.apps import AppConfig


class GatewayzConfig(AppConfig):
    name = "gatewayz"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gatewayz import celery, checks  # noqa: F401

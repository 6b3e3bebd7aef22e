from django.apps import AppConfig


class LoginsConfig(AppConfig):
    name = "gatewayz.logins"
    label = "logins"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gatewayz.logins import devices  # noqa: F401 listens for people who sign in

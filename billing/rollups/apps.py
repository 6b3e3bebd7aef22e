from django.apps import AppConfig


class RollupsConfig(AppConfig):
    name = "billing.rollups"
    label = "rollups"
    verbose_name = "Rollups"
    default_auto_field = "django.db.models.BigAutoField"

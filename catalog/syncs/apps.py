from django.apps import AppConfig


class SyncsConfig(AppConfig):
    name = "catalog.syncs"
    label = "syncs"
    verbose_name = "Syncs"
    default_auto_field = "django.db.models.BigAutoField"

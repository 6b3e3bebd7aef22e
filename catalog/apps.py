from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CatalogConfig(AppConfig):
    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from catalog import (
            revisions,  # noqa: F401
            seeding,
        )

        post_migrate.connect(seeding.seed, sender=self, dispatch_uid="catalog.seeding")

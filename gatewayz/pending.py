"""Which migrations the database still needs."""

import pkgutil
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder


def pending() -> list[str]:
    """Return the migrations that are missing, in order.

    Planning imports every migration, a tenth of a second; where the database has all the names
    that there are, there is nothing to plan.
    """
    if on_disk() <= MigrationRecorder(connection).applied_migrations().keys():
        return []
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _ in plan]


def on_disk() -> set[tuple[str, str]]:
    """Return every app's migrations, by the names of their files."""
    return {
        (app.label, entry.name)
        for app in apps.get_app_configs()
        for entry in pkgutil.iter_modules([str(Path(app.path, "migrations"))])
        if entry.name[0] not in "_~"
    }

"""Adds an index to a large table without keeping anybody from writing to it."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddIndex


class AddIndexAside(AddIndexConcurrently):
    """PostgreSQL builds it while others write; SQLite at once. Needs `atomic = False`."""

    def database_forwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, editor, from_state, to_state)
        else:
            AddIndex.database_forwards(self, app_label, editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, editor, from_state, to_state)

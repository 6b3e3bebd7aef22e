"""Up to which usage row nothing can appear any more."""

import time

from django.db import connection
from django.db.models import Max

from billing.models import UsageRow

# Whoever has written to a table holds this lock until its transaction is over.
WRITERS = """SELECT virtualtransaction FROM pg_locks WHERE granted AND mode = 'RowExclusiveLock'
AND locktype = 'relation' AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND relation = %s::regclass"""


def horizon(patience_s: float = 5.0) -> int | None:
    """Return the greatest primary key below which every usage row is visible or never will be.

    Rows of several bookkeepers become visible in another order than that of their keys. A key is
    drawn under the table's lock, so once those who held it after the greatest key was seen have
    ended, no smaller key is on its way. None if one of them takes longer than `patience_s`.
    """
    last: int = UsageRow.objects.aggregate(last=Max("pk"))["last"] or 0
    if connection.vendor != "postgresql":
        return last  # SQLite has one writer at a time
    waiting = writers()
    until = time.monotonic() + patience_s
    while waiting and time.monotonic() < until:
        time.sleep(0.02)
        waiting &= writers()
    return None if waiting else last


def writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(WRITERS, [UsageRow._meta.db_table])
        return {name for (name,) in cursor.fetchall()}

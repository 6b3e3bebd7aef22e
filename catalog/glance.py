"""Looks at a few numbers in the database, many times a second, beside requests.

The ORM makes its query anew each time, and requests wait for the interpreter meanwhile: ten times
as long as for the question alone.
"""

from datetime import datetime
from typing import Any

from django.db import connection


def glance(question: str, *given: Any) -> list[tuple[Any, ...]]:
    """Return the rows of an SQL question with %s for what is given; raises django.db.Error.

    This thread's connection stays open for the next one: to open it costs more than to ask.
    """
    values = [stored(one) if isinstance(one, datetime) else one for one in given]
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


def stored(moment: datetime) -> Any:
    """Return a moment as this database compares it."""
    return connection.ops.adapt_datetimefield_value(moment)

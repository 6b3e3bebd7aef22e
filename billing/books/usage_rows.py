"""Writes usage rows by the thousand: the statement is made once, and rows are plain tuples.

Django's bulk_create prepares every value by its field, which took half of the bookkeeper's time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import format_number

from billing.books.records import Record
from billing.books.usage import OF_USAGE, values_of
from billing.models import UsageRow

BATCH = 500
AS_RECORDED = (
    "request_id",
    "account_id",
    "key_id",
    "endpoint",
    "asked_model",
    "model_id",
    "provider",
    "upstream_id",
    "stream",
    "status",
    "outcome",
    "error_code",
    "cost_nano",
    "provider_cost_nano",
    "price_source",
    "duration_ms",
    "first_byte_ms",
)
MADE = ("created_at", "transaction_id", "price_id", "markup", "attempts", "unit_prices")
COLUMNS = (*AS_RECORDED, *MADE, *OF_USAGE)
_recorded = attrgetter(*AS_RECORDED)
_json = msgspec.json.Encoder().encode


def rows_of(fresh: Sequence[Record], transaction_id: UUID) -> Iterator[tuple[Any, ...]]:
    """Yield the COLUMNS of each record, as the database takes them."""
    adapt_time, adapt_id = adapters()
    charged = adapt_id(transaction_id)
    for record in fresh:
        yield (
            *_recorded(record),
            adapt_time(datetime.fromtimestamp(record.at, UTC)),
            charged if record.cost_nano else None,
            record.price_id or None,
            written(record.markup),
            _json(record.attempts).decode(),
            _json(record.unit_prices).decode(),
            *values_of(record.usage),
        )


def insert(fresh: Sequence[Record], transaction_id: UUID) -> None:
    """Add a row per record."""
    rows = list(rows_of(fresh, transaction_id))
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(statement(1), rows)
            return
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            cursor.execute(statement(len(batch)), list(chain.from_iterable(batch)))


def adapters() -> tuple[Callable[[datetime], Any], Callable[[UUID], Any]]:
    """Return what makes of a time and of an id what the database takes."""
    if connection.vendor == "sqlite":
        return lambda at: at.isoformat(" ").removesuffix("+00:00"), lambda key: key.hex
    return lambda at: at, lambda key: key


@cache
def written(markup: Decimal | None) -> str | None:
    """Return a markup as its column takes it; raises InvalidOperation for one that is too fine."""
    column: Any = UsageRow._meta.get_field("markup")
    return format_number(markup, column.max_digits, column.decimal_places)


@cache
def statement(count: int) -> str:
    quoted = ", ".join(map(connection.ops.quote_name, COLUMNS))
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"INSERT INTO {UsageRow._meta.db_table} ({quoted}) VALUES {', '.join([row] * count)}"

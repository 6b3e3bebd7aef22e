"""Writes usage rows by the thousand: the statement is made once, and rows are plain tuples.

Django's bulk_create prepares every value by its field, which took half of the bookkeeper's time.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import format_number

from billing.books.records import Record
from billing.books.usage import columns_of
from billing.models import UsageRow
from providers.values import Usage

BATCH = 500
NONE = Usage(requests=0, source="none")
_json = msgspec.json.Encoder().encode


def values_of(record: Record, transaction_id: UUID | None) -> dict[str, Any]:
    """Return a usage row's columns."""
    return {
        "request_id": record.request_id,
        "created_at": datetime.fromtimestamp(record.at, UTC),
        "account_id": record.account_id,
        "transaction_id": transaction_id if record.cost_nano else None,
        "key_id": record.key_id,
        "endpoint": record.endpoint,
        "asked_model": record.asked_model,
        "model_id": record.model_id,
        "provider": record.provider,
        "upstream_id": record.upstream_id,
        "stream": record.stream,
        "status": record.status,
        "outcome": record.outcome,
        "error_code": record.error_code,
        "attempts": _json(record.attempts).decode(),
        "cost_nano": record.cost_nano,
        "provider_cost_nano": record.provider_cost_nano,
        "markup": record.markup,
        "price_source": record.price_source,
        "price_id": record.price_id or None,
        "unit_prices": _json(record.unit_prices).decode(),
        **columns_of(record.usage or NONE),
        "duration_ms": record.duration_ms,
        "first_byte_ms": record.first_byte_ms,
    }


def insert(fresh: Sequence[Record], transaction_id: UUID) -> None:
    """Add a row per record."""
    rows = [values_of(record, transaction_id) for record in fresh]
    if not rows:
        return
    adapt_time, adapt_id = adapters()
    for row in rows:
        row["created_at"] = adapt_time(row["created_at"])
        row["markup"] = written(row["markup"])
        row["transaction_id"] = row["transaction_id"] and adapt_id(row["transaction_id"])
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(statement(tuple(rows[0]), 1), [tuple(row.values()) for row in rows])
            return
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            values = [value for row in batch for value in row.values()]
            cursor.execute(statement(tuple(rows[0]), len(batch)), values)


def adapters() -> tuple[Callable[[datetime], Any], Callable[[UUID], Any]]:
    """Return what makes of a time and of an id what the database takes."""
    if connection.vendor == "sqlite":
        return lambda at: str(at.replace(tzinfo=None)), lambda key: key.hex
    return lambda at: at, lambda key: key


@cache
def written(markup: Decimal | None) -> str | None:
    """Return a markup as its column takes it; raises InvalidOperation for one that is too fine."""
    column: Any = UsageRow._meta.get_field("markup")
    return format_number(markup, column.max_digits, column.decimal_places)


@cache
def statement(columns: tuple[str, ...], count: int) -> str:
    quoted = ", ".join(map(connection.ops.quote_name, columns))
    row = f"({', '.join(['%s'] * len(columns))})"
    return f"INSERT INTO {UsageRow._meta.db_table} ({quoted}) VALUES {', '.join([row] * count)}"

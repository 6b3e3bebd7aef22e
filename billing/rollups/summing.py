"""Adds usage rows to the sums of their hours and days, each exactly once."""

from collections.abc import Sequence
from datetime import UTC

from django.db import connection
from django.db.models import Count, DateField, F, Model, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate, TruncHour, TruncMonth
from django.db.transaction import atomic

from billing.models import UsageRow
from billing.rollups.horizon import horizon
from billing.rollups.models import (
    COUNTS,
    DAILY_KEYS,
    KEYS,
    DailyUsage,
    HourlyUsage,
    Progress,
)

BATCH = 20_000
BOOKED = Coalesce("transaction__created_at", "created_at")
MOMENTS = {
    "hour": TruncHour("created_at", tzinfo=UTC),
    "day": TruncDate("created_at", tzinfo=UTC),
    "booked_month": TruncMonth(BOOKED, output_field=DateField(), tzinfo=UTC),
}
SUMS = {
    "requests": Count("pk"),
    "failures": Count("pk", filter=Q(outcome="failed")),
    "first_bytes": Count("first_byte_ms"),
}


def summed(rows: QuerySet[UsageRow], keys: Sequence[str] = KEYS) -> QuerySet:
    """Return `rows` summed by `keys`, as a rollup's columns: `by_…` and `of_…`."""
    sums = {f"of_{name}": SUMS.get(name) or Coalesce(Sum(name), 0) for name in COUNTS}
    by = {f"by_{name}": MOMENTS.get(name) or F(name) for name in keys}
    return rows.order_by().values(**by).annotate(**sums)


def roll_up() -> int:
    """Add every row that came since; return how many. Safe to run beside itself and bookkeepers."""
    end = horizon()
    total = 0
    while end is not None and (added := roll_up_batch(end)):
        total += added
    return total


def roll_up_batch(end: int) -> int:
    """Add the next rows up to the primary key `end`, and move the mark with them."""
    with atomic():
        progress = Progress.locked()
        start = progress.rolled_through
        keys = UsageRow.objects.filter(pk__gt=start, pk__lte=end).order_by("pk")
        batch = list(keys.values_list("pk", flat=True)[:BATCH])
        if not batch:
            return 0
        add(UsageRow.objects.filter(pk__gt=start, pk__lte=batch[-1]))
        progress.rolled_through = batch[-1]
        progress.save(update_fields=["rolled_through"])
    return len(batch)


def add(rows: QuerySet[UsageRow]) -> None:
    """Add `rows` to the sums of their hours and days."""
    merge(HourlyUsage, KEYS, summed(rows))
    merge(DailyUsage, DAILY_KEYS, summed(rows, DAILY_KEYS))


def merge(kind: type[Model], keys: Sequence[str], sums: QuerySet) -> None:
    """Add `sums`, named as `summed` names them, to the rows that are there."""
    select, params = sums.query.sql_with_params()
    table = kind._meta.db_table
    named = ", ".join((*keys, *COUNTS))
    taken = ", ".join([f"by_{name}" for name in keys] + [f"of_{name}" for name in COUNTS])
    more = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({named}) SELECT {taken} FROM ({select}) AS fresh WHERE true "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {more}",
            params,
        )

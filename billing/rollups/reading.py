"""Answers how much was used: from the sums, and from the rows that are not in them yet."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import DateField, F, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMonth
from django.db.transaction import atomic

from billing.models import UsageRow
from billing.rollups.models import COUNTS, KEYS, DailyUsage, HourlyUsage, Progress
from billing.rollups.summing import summed

Row = dict[str, Any]
Result = TypeVar("Result")
GROUPS: Mapping[str, tuple[Any, Callable[[Row], Any]]] = {
    "hour": (F("hour"), lambda row: row["hour"]),
    "day": (TruncDate("hour", tzinfo=UTC), lambda row: row["hour"].date()),
    "month": (
        TruncMonth("hour", output_field=DateField(), tzinfo=UTC),
        lambda row: row["hour"].date().replace(day=1),
    ),
    "account": (F("account_id"), lambda row: row["account_id"]),
    "key": (F("key_id"), lambda row: row["key_id"]),
    "model": (F("model_id"), lambda row: row["model_id"]),
    "provider": (F("provider"), lambda row: row["provider"]),
    "endpoint": (F("endpoint"), lambda row: row["endpoint"]),
}
DAILY = {  # what sums by the day know, too
    "day": F("day"),
    "month": TruncMonth("day"),
    "account": F("account_id"),
    "model": F("model_id"),
    "provider": F("provider"),
}
ATTEMPTS = 5
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Hours from `since` on, before `until`. accounts, keys: whose, by id; None for all."""

    since: datetime
    until: datetime
    accounts: Sequence[int] | None = None
    keys: Sequence[str] | None = None
    model: str = ""

    @property
    def whole_days(self) -> bool:
        """Whether sums by the day can answer."""
        edges = (self.since, self.until)
        return self.keys is None and all(edge.astimezone(UTC).time() == time.min for edge in edges)


def usage_by(span: Span, *groups: str) -> list[Row]:
    """Return usage in `span` summed by `groups`, names of GROUPS: a row of them and COUNTS each.

    Every usage row counts once, whether it is in the sums yet or not. Rows are in the order of
    their groups. Hours count whole, those in which the span begins and ends too.
    """
    return consistent(lambda: Reading(span).by(*groups))


class Reading:
    """One look at the sums and at what is not in them, which is read once for all groupings."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.tail = tail(span, Progress.now().rolled_through)

    def by(self, *groups: str) -> list[Row]:
        total: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        for key, counts in [*self.stored(groups), *self.fresh(groups)]:
            total[key] = [old + new for old, new in zip(total[key], counts, strict=True)]
        return [
            dict(zip(groups, key, strict=True)) | dict(zip(COUNTS, counts, strict=True))
            for key, counts in sorted(total.items())
        ]

    def stored(self, groups: Sequence[str]) -> list[tuple[tuple[Any, ...], list[int]]]:
        if self.span.whole_days and DAILY.keys() >= set(groups):
            rows, named = self.days(groups)
        else:
            rows = within(HourlyUsage.objects.all(), self.span, "hour").order_by()
            named = {f"by_{name}": GROUPS[name][0] for name in groups}
        sums = {f"of_{name}": Sum(name) for name in COUNTS}
        found = rows.values(**named).annotate(**sums) if groups else [rows.aggregate(**sums)]
        return [
            (tuple(row[name] for name in named), [row[name] or 0 for name in sums]) for row in found
        ]

    def days(self, groups: Sequence[str]) -> tuple[QuerySet, Row]:
        since, until = self.span.since.date(), self.span.until.date()
        rows = DailyUsage.objects.filter(day__gte=since, day__lt=until).order_by()
        return mine(rows, self.span), {f"by_{name}": DAILY[name] for name in groups}

    def fresh(self, groups: Sequence[str]) -> list[tuple[tuple[Any, ...], list[int]]]:
        return [
            (tuple(GROUPS[name][1](row) for name in groups), [row[name] for name in COUNTS])
            for row in self.tail
        ]


def tail(span: Span, rolled_through: int) -> list[Row]:
    """Return rows after the mark, summed as rollups are."""
    rows = within(UsageRow.objects.filter(pk__gt=rolled_through), span, "created_at")
    return [
        {name: row[f"by_{name}"] for name in KEYS} | {name: row[f"of_{name}"] for name in COUNTS}
        for row in summed(rows)
    ]


def within(rows: QuerySet, span: Span, moment: str) -> QuerySet:
    since, until = whole_hour(span.since), whole_hour(span.until)
    until += HOUR if until < span.until else timedelta(0)
    return mine(rows.filter(**{f"{moment}__gte": since, f"{moment}__lt": until}), span)


def mine(rows: QuerySet, span: Span) -> QuerySet:
    if span.accounts is not None:
        rows = rows.filter(account_id__in=span.accounts)
    if span.keys is not None:
        rows = rows.filter(key_id__in=span.keys)
    return rows.filter(model_id=span.model) if span.model else rows


def whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def consistent(read: Callable[[], Result]) -> Result:
    """Read again where rows moved into the sums meanwhile: they would count twice or not at all."""
    for _ in range(ATTEMPTS):
        before = Progress.now().rolled_through
        found = read()
        if Progress.now().rolled_through == before:
            return found
    with atomic():
        Progress.locked()
        return read()

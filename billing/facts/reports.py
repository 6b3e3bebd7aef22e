"""What was used and spent, from the hourly sums and what is not in them yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from billing.rollups.models import HourlyUsage, Progress
from billing.rollups.reading import Span, consistent, tail, usage_by

GROUPS = ("date", "model", "key")
COLUMNS = {"date": "date", "model": "shown_model", "key": "key_id"}
SUMMED = {"date": "day", "model": "model", "key": "key"}  # as the sums call them
SUMS = (
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost_nano",
)
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a key has spent: in all, and since the UTC day, week (Monday) and month began."""

    total_nano: int = 0
    day_nano: int = 0
    week_nano: int = 0
    month_nano: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """Whose usage, from when until before when, by what. keys: None for all of the accounts'."""

    accounts: Sequence[int]
    keys: Sequence[str] | None
    start: datetime
    end: datetime
    groups: Sequence[str] = GROUPS
    model: str = ""

    @property
    def span(self) -> Span:
        return Span(self.start, self.end, self.accounts, self.keys, self.model)


def spent_by_key(key_ids: Iterable[str], now: datetime) -> dict[str, Spent]:
    """Return what each of the keys has spent."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = {
        "total_nano": EVER[0],
        "day_nano": day,
        "week_nano": day - timedelta(days=day.weekday()),
        "month_nano": day.replace(day=1),
    }
    wanted = list(key_ids)
    found = consistent(lambda: costs(wanted, since))
    return {key_id: Spent(**found[key_id]) for key_id in wanted}


def costs(key_ids: Sequence[str], since: dict[str, datetime]) -> dict[str, dict[str, int]]:
    """Return what each key's requests cost since each of the moments."""
    sums = {
        name: Coalesce(Sum("cost_nano", filter=Q(hour__gte=start)), 0)
        for name, start in since.items()
    }
    found = {key_id: dict.fromkeys(since, 0) for key_id in key_ids}
    fresh = tail(Span(*EVER, keys=key_ids), Progress.now().rolled_through)
    stored = HourlyUsage.objects.filter(key_id__in=key_ids).order_by()
    for row in stored.values("key_id").annotate(**sums):
        found[row.pop("key_id")] = row
    for row in fresh:
        for name, start in since.items():
            found[row["key_id"]][name] += row["cost_nano"] if row["hour"] >= start else 0
    return found


def usage(asked: Question, limit: int, offset: int = 0) -> tuple[Rows, bool]:
    """Return sums per group, the newest first, and whether there are more."""
    groups = [SUMMED[name] for name in asked.groups]
    rows = usage_by(asked.span, *groups)
    if "date" in asked.groups:
        rows.sort(key=lambda row: row["day"], reverse=True)  # stable: the rest keeps its order
    shown = [
        {COLUMNS[name]: row[SUMMED[name]] for name in asked.groups}
        | {name: row[name] for name in SUMS}
        for row in rows[offset : offset + limit]
    ]
    return shown, len(rows) > offset + limit


def total(asked: Question) -> dict[str, Any]:
    [row] = usage_by(asked.span)
    return {name: row[name] for name in SUMS}

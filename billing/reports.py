"""What was used and spent, from usage rows. Every question here uses an index by account or key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, TruncDate

from billing.models import UsageRow

GROUPS = ("date", "model", "key")
COLUMNS = {"date": "date", "model": "shown_model", "key": "key_id"}
SUMS = {
    "requests": Count("pk"),
    "prompt_tokens": Coalesce(Sum("prompt_tokens"), 0),
    "completion_tokens": Coalesce(Sum("completion_tokens"), 0),
    "cached_tokens": Coalesce(Sum("cached_tokens"), 0),
    "reasoning_tokens": Coalesce(Sum("reasoning_tokens"), 0),
    "cost_nano": Coalesce(Sum("cost_nano"), 0),
}
# What was refused has no model of ours.
SHOWN_MODEL = Case(When(model_id="", then=F("asked_model")), default=F("model_id"))
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

    def rows(self) -> QuerySet[UsageRow]:
        found = UsageRow.objects.filter(
            account__in=self.accounts, created_at__gte=self.start, created_at__lt=self.end
        )
        if self.keys is not None:
            found = found.filter(key_id__in=self.keys)
        if self.model:
            found = found.filter(Q(model_id=self.model) | Q(model_id="", asked_model=self.model))
        return found


def spent_by_key(key_ids: Iterable[str], now: datetime) -> dict[str, Spent]:
    """Return what each of the keys has spent; hourly sums will answer this when they are kept."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = {
        "day_nano": day,
        "week_nano": day - timedelta(days=day.weekday()),
        "month_nano": day.replace(day=1),
    }
    sums = {
        name: Coalesce(Sum("cost_nano", filter=Q(created_at__gte=start)), 0)
        for name, start in since.items()
    }
    wanted = list(key_ids)
    rows = (
        UsageRow.objects.filter(key_id__in=wanted)
        .order_by()
        .values("key_id")
        .annotate(total_nano=Coalesce(Sum("cost_nano"), 0), **sums)
    )
    found = {row.pop("key_id"): Spent(**row) for row in rows}
    return {key_id: found.get(key_id, Spent()) for key_id in wanted}


def usage(asked: Question, limit: int, offset: int = 0) -> tuple[Rows, bool]:
    """Return sums per group, the newest first, and whether there are more."""
    groups = [COLUMNS[name] for name in asked.groups]
    order = [F(name).desc() if name == "date" else F(name).asc() for name in groups]
    rows = (
        asked.rows()
        .order_by()
        .annotate(date=TruncDate("created_at"), shown_model=SHOWN_MODEL)
        .values(*groups)
        .annotate(**SUMS)
        .order_by(*order)
    )
    found = list(rows[offset : offset + limit + 1])
    return found[:limit], len(found) > limit


def total(asked: Question) -> dict[str, Any]:
    return asked.rows().order_by().aggregate(**SUMS)

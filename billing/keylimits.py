"""What a key may spend. The one place where the key's page and API learn of its budgets."""

import time
from dataclasses import dataclass

from billing.limits.models import Budget
from billing.limits.spends import spent_of
from billing.models import ApiKey

RESETS = {"day": "daily", "week": "weekly", "month": "monthly", "total": None}


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """Nano-USD, None for no budget. reset: daily, weekly, monthly; None for never."""

    limit_nano: int | None = None
    remaining_nano: int | None = None
    reset: str | None = None


NO_LIMIT = KeyLimit()


def limit_of(row: ApiKey) -> KeyLimit:
    """Return the budget of the key of which the least is left, as far as it is booked."""
    budgets = Budget.objects.filter(key=row, enabled=True, hard_nano__isnull=False).in_bulk()
    found = [
        KeyLimit(edge, max(0, edge - spent), RESETS[budgets[budget_id].period])
        for budget_id, _, spent in spent_of(budgets, time.time())
        if (edge := budgets[budget_id].hard_nano) is not None
    ]
    return min(found, key=lambda limit: limit.remaining_nano or 0, default=NO_LIMIT)

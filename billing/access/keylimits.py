"""What keys may spend. The one place where their page and API learn of budgets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from billing.limits.models import Budget, BudgetSpend
from billing.limits.periods import moment, period_of
from billing.limits.spends import summed

RESETS = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """Nano-USD, None for no budget. reset: daily, weekly, monthly; None for never."""

    limit_nano: int | None = None
    remaining_nano: int | None = None
    reset: str | None = None


NO_LIMIT = KeyLimit()


def limits_of(key_pks: Iterable[int], now_s: float) -> dict[int, KeyLimit]:
    """Return, of each key with budgets of its own, the one that leaves the least."""
    limits = sorted(left(key_pks, now_s), key=lambda pair: pair[1].remaining_nano or 0)
    return dict(reversed(limits))


def left(key_pks: Iterable[int], now_s: float) -> Iterator[tuple[int, KeyLimit]]:
    """Yield what each hard budget leaves in its period, as far as it is booked."""
    budgets = Budget.objects.filter(key__in=list(key_pks), enabled=True, hard_nano__isnull=False)
    chosen = list(budgets.select_related("key"))
    rows = BudgetSpend.objects.filter(budget__in=chosen)
    booked = {(row.budget_id, row.period_began_at): row.spent_nano for row in rows}
    for budget in chosen:
        period = period_of(budget.period, now_s)
        spent = booked.get((budget.pk, moment(period[0])))
        spent = summed(budget, period) if spent is None else spent
        hard = budget.hard_nano or 0
        remaining = max(0, hard - spent)
        yield budget.key_id or 0, KeyLimit(hard, remaining, RESETS.get(budget.period))

"""What keys may spend. The one place where their page and API learn of budgets and set them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing import money
from billing.limits.models import Budget, BudgetSpend
from billing.limits.periods import moment, period_of
from billing.limits.spends import summed
from billing.models import ApiKey
from providers.errors import BadRequest

RESETS = {"day": "daily", "week": "weekly", "month": "monthly"}
PERIODS = {reset: period for period, reset in RESETS.items()} | {None: "total"}
ASKED = ("limit", "limit_reset")


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


def set_limit(key: ApiKey, asked: Mapping[str, Any]) -> None:
    """Set what of ASKED is there: dollars, and daily, weekly, monthly or None; raises BadRequest.

    A key has one such limit; budgets that the operator gave it hold beside it. Call it inside a
    transaction.
    """
    if not asked:
        return
    ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)  # one change after another
    before = Budget.objects.filter(key=key, by_api=True).first()
    hard_nano = before.hard_nano if before else None
    period = before.period if before else PERIODS[None]
    if "limit" in asked:
        hard_nano = nano_of(asked["limit"])
    if "limit_reset" in asked:
        period = PERIODS[asked["limit_reset"]]
    if hard_nano is None and asked.get("limit_reset"):
        raise BadRequest("`limit_reset`: there is no `limit` to reset.", param="limit_reset")
    put(key, before, hard_nano, period)


def put(key: ApiKey, before: Budget | None, hard_nano: int | None, period: str) -> None:
    """Put a limit in the place of the one before. What is counted of one is of its period."""
    if before and hard_nano is not None and before.period == period:
        before.hard_nano, before.enabled = hard_nano, True
        before.save(update_fields=["hard_nano", "enabled"])
        return
    if before:
        before.delete()
    if hard_nano is not None:
        Budget.objects.create(key=key, by_api=True, period=period, hard_nano=hard_nano)


def nano_of(limit: Decimal | None) -> int | None:
    """Return the nano-USD of a limit in dollars; raises BadRequest."""
    if limit is None:
        return None
    if not limit.is_finite() or limit < 0:
        raise BadRequest("`limit`: dollars, 0 or more.", param="limit")
    if limit > money.MOST_USD:
        raise BadRequest(f"`limit`: at most {money.MOST_USD:,} dollars.", param="limit")
    try:
        return money.nano(limit)
    except money.BadAmount as problem:
        raise BadRequest(f"`limit`: {problem}", param="limit") from problem

"""The limits and budgets of a key, from its rows to the data plane's values."""

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import Q

from billing.limits.models import Budget, LimitRule
from billing.limits.values import CONCURRENCY, REQUESTS, TOKENS, Limit, windows
from billing.limits.values import Budget as BudgetValue
from billing.models import ApiKey, Plan
from billing.values import Key


def with_limits(row: ApiKey, key: Key) -> Key:
    """Return `key` with what limits it. `row` has its account and plan at hand."""
    return replace(key, limits=tuple(limits_of(row)), budgets=tuple(budgets_of(row)))


def limits_of(row: ApiKey) -> Iterator[Limit]:
    plan = row.account.plan
    yield from windows(f"key:{row.public_id}", "key", amounts(plan))
    mine = Q(plan=plan) | Q(account=row.account_id) | Q(key=row.pk)
    for rule in LimitRule.objects.filter(mine).order_by("pk"):
        yield rule.value_of(row)


def amounts(plan: Plan) -> dict[tuple[str, str], int | None]:
    """Return what the plan's columns allow each key, by unit and window."""
    return {
        (REQUESTS, "minute"): plan.requests_per_minute,
        (REQUESTS, "hour"): plan.requests_per_hour,
        (REQUESTS, "day"): plan.requests_per_day,
        (TOKENS, "minute"): plan.tokens_per_minute,
        (TOKENS, "hour"): plan.tokens_per_hour,
        (TOKENS, "day"): plan.tokens_per_day,
        (CONCURRENCY, ""): plan.concurrency,
    }


def budgets_of(row: ApiKey) -> Iterator[BudgetValue]:
    mine = Q(account=row.account_id) | Q(key=row.pk)
    if row.holder_id and row.account.organisation_id:
        there = {"member__organisation": row.account.organisation_id}
        mine |= Q(member__user=row.holder_id, **there)
    for budget in Budget.objects.filter(mine, enabled=True).order_by("pk"):
        yield budget.value_of()

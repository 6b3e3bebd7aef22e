"""Keys as their holders see them: plain values for JSON, without secrets and digests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from billing.access.keylimits import NO_LIMIT, KeyLimit, limits_of
from billing.facts.amounts import number
from billing.facts.reports import Spent, spent_by_key
from billing.facts.standing import given
from billing.models import ApiKey

Facts = dict[str, Any]


def own_facts(public_id: str) -> Facts:
    """Return what a key learns of itself: OpenRouter's members first, then ours."""
    row = ApiKey.objects.select_related("account__plan").get(public_id=public_id)
    standing = standings([row])[public_id]
    plan = row.account.plan
    return {
        "label": row.label,
        **money_facts(*standing),
        "is_free_tier": not given([row.account_id]).exists(),
        "is_management_key": row.is_management,
        "is_provisioning_key": row.is_management,
        "creator_user_id": row.holder_id and str(row.holder_id),
        "expires_at": moment(row.expires_at),
        "rate_limit": {
            "requests": -1 if plan.requests_per_minute is None else plan.requests_per_minute,
            "interval": "1m",
        },
        **scope_facts(row),
        "hash": row.public_id,
        "name": row.name,
        "test": row.is_test,
        "account": row.account.name,
        "plan": {"name": plan.name, **plan_facts(plan)},
    }


Standing = tuple[Spent, KeyLimit]


def standings(rows: Sequence[ApiKey]) -> dict[str, Standing]:
    """Return by public id what each key has spent, and what its budgets leave."""
    now = timezone.now()
    spent = spent_by_key([row.public_id for row in rows], now)
    limits = limits_of([row.pk for row in rows], now.timestamp())
    return {row.public_id: (spent[row.public_id], limits.get(row.pk, NO_LIMIT)) for row in rows}


def money_facts(spent: Spent, budget: KeyLimit) -> Facts:
    return {
        "limit": number(budget.limit_nano),
        "limit_remaining": number(budget.remaining_nano),
        "limit_reset": budget.reset,
        "usage": number(spent.total_nano),
        "usage_daily": number(spent.day_nano),
        "usage_weekly": number(spent.week_nano),
        "usage_monthly": number(spent.month_nano),
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "include_byok_in_limit": False,
    }


def scope_facts(row: ApiKey) -> Facts:
    return {
        "allowed_endpoints": row.allowed_endpoints,
        "allowed_models": row.allowed_models,
        "denied_models": row.denied_models,
        "allowed_providers": row.allowed_providers,
        "denied_providers": row.denied_providers,
        "allowed_ips": row.allowed_ips,
    }


def plan_facts(plan: Any) -> Facts:
    """Return what a plan restricts; what it costs is on each receipt."""
    return {
        "requests_per_minute": plan.requests_per_minute,
        "tokens_per_minute": plan.tokens_per_minute,
        "concurrency": plan.concurrency,
        "allowed_models": plan.allowed_models,
        "denied_models": plan.denied_models,
        "allowed_providers": plan.allowed_providers,
        "denied_providers": plan.denied_providers,
    }


def managed_facts(row: ApiKey, standing: Standing) -> Facts:
    """Return a key as whoever manages it sees it."""
    return {
        "hash": row.public_id,
        "name": row.name,
        "label": row.label,
        "disabled": row.disabled,
        "test": row.is_test,
        "is_management_key": row.is_management,
        "account": row.account.name,
        "creator_user_id": row.holder_id and str(row.holder_id),
        **money_facts(*standing),
        **scope_facts(row),
        "created_at": moment(row.created_at),
        "last_used_at": moment(row.last_used_at),
        "expires_at": moment(row.expires_at),
        "revoked_at": moment(row.revoked_at),
        "old_valid_until": moment(row.old_valid_until),
    }


def moment(at: datetime | None) -> str | None:
    """Return it in UTC, as RFC 3339 writes it."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

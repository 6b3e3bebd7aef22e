"""What a client is told of limits: errors, and the RateLimit fields of draft-ietf-httpapi-
ratelimit-headers-06. Pure."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from billing.limits.counters import Allowance, Counter
from billing.limits.counting import Refused, Taken
from billing.limits.periods import NEVER
from billing.limits.values import CONCURRENCY, TOKENS
from billing.money import usd
from providers.errors import GatewayError, InsufficientCredits, NoProviderAvailable, RateLimited

Headers = dict[str, str]


def headers(counter: Counter, left: int, wait_ms: int, policy: str) -> Headers:
    """Return the fields for the tightest window. Reset says when there is more, if nothing is left,
    and when all of it is there again otherwise."""
    reset_s = math.ceil(wait_ms / 1000) if wait_ms else counter.limit.window_s
    return {
        "RateLimit-Limit": str(counter.most),
        "RateLimit-Remaining": str(max(0, left)),
        "RateLimit-Reset": str(reset_s),
        "RateLimit-Policy": policy,
    }


def of_taken(taken: Taken, policy: str) -> Headers:
    if taken.tightest is None:
        return {}
    return headers(taken.tightest, taken.left, taken.wait_ms, policy)


def error(refused: Refused, need: int, policy: str) -> GatewayError:
    """Return the error for what stood in the way; `need` is what the request asked of it."""
    if isinstance(refused.by, Allowance):
        return over_budget(refused, refused.by)
    limit, wait_s = refused.by.limit, refused.wait_ms / 1000
    found = RateLimited(
        sentence(refused.by, need, refused.left),
        retry_after_s=wait_s,
        metadata=limit.facts() | {"remaining": refused.left, "needed": need},
    )
    if refused.by.step_ms:
        found.headers = headers(refused.by, refused.left, refused.wait_ms, policy)
    elif policy:
        found.headers = {"RateLimit-Policy": policy}
    return found


def sentence(counter: Counter, need: int, left: int) -> str:
    limit = counter.limit
    of = f" of {limit.models}" if limit.models else ""
    if limit.unit == CONCURRENCY:
        return f"This {limit.scope} may have {limit.amount} requests{of} under way at once."
    said = f"This {limit.scope} may use {limit.amount} {limit.unit}{of} in any {limit.window}"
    if limit.unit == TOKENS:
        if need > limit.amount:
            return f"{said}; this request alone is about {need}, and can never be admitted."
        return f"{said}; {left} are left, and this request needs about {need}."
    return f"{said}."


def over_budget(refused: Refused, allowance: Allowance) -> GatewayError:
    budget = allowance.budget
    if refused.left < 0:
        return NoProviderAvailable("A budget is not known yet.", retry_after_s=1)
    said: Mapping[str, object] = {
        "scope": budget.scope,
        "period": budget.period,
        "limit": dollars(budget.hard_nano or 0),
        "left": dollars(refused.left),
        "resets_at": reset(allowance.end_s),
    }
    text = f"The budget of this {budget.scope} ({said['limit']} USD, {budget.period}) is used up"
    return InsufficientCredits(
        f"{text}: {said['left']} USD are left, and this request may cost more.",
        metadata={"budget": said},
    )


def dollars(nano: int) -> str:
    return format(usd(nano).normalize(), "f")


def reset(end_s: int) -> str | None:
    return None if end_s >= NEVER else datetime.fromtimestamp(end_s, UTC).isoformat()

"""Who asks, as the data plane sees it: frozen values, no Django, no I/O."""

from dataclasses import dataclass
from decimal import Decimal

from billing.limits.values import Budget, Limit


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key with what its account and plan say. Money is in nano-USD."""

    public_id: str
    name: str
    account_id: int
    account_enabled: bool
    balance_nano: int
    plan_id: int
    markup: Decimal
    expires_at: float | None
    revoked: bool
    allowed_models: tuple[str, ...] = ()
    allowed_providers: frozenset[str] = frozenset()
    limits: tuple[Limit, ...] = ()
    budgets: tuple[Budget, ...] = ()

"""Who asks, as the data plane sees it: frozen values, no Django, no I/O."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key with what its account and plan say."""

    public_id: str
    name: str
    account_id: int
    account_enabled: bool
    plan_id: int
    markup: Decimal
    expires_at: float | None
    revoked: bool
    allowed_models: tuple[str, ...] = ()
    allowed_providers: frozenset[str] = frozenset()

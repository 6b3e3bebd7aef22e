"""Who asks, as the data plane sees it: frozen values, no Django, no I/O."""

from dataclasses import dataclass
from decimal import Decimal

from billing.addresses import Network
from catalog.asks import EVERYTHING, Permissions


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key with what its account and plan say. Money is in nano-USD.

    endpoints, networks: empty for all. expires_at: of the secret that was presented.
    """

    public_id: str
    name: str
    account_id: int
    account_enabled: bool
    balance_nano: int
    plan_id: int
    markup: Decimal
    expires_at: float | None
    revoked: bool
    permissions: Permissions = EVERYTHING
    endpoints: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    is_management: bool = False

    @property
    def is_test(self) -> bool:
        return self.permissions.test

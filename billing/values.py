"""Who asks, as the data plane sees it: frozen values, no Django, no I/O."""

from dataclasses import dataclass
from decimal import Decimal

from billing.access.addresses import Network
from billing.limits.values import Budget, Limit
from catalog.asks import EVERYTHING, Permissions

CHARGE, REFUSE = "charge", "refuse"  # what a plan does with an offer that has no price
PICO_PER_TOKEN = 10**6  # of 1 USD per million tokens


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a plan says of costs that a provider leaves open.

    The defaults are charged where no price is known, unless `unpriced` refuses; in pico-USD per
    token, before markup. most_output: tokens to hold money for where nothing else bounds an answer.
    """

    unpriced: str = CHARGE
    default_input_pico: int = 10 * PICO_PER_TOKEN
    default_output_pico: int = 40 * PICO_PER_TOKEN
    most_output: int = 16_384


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key with what its account and plan say.

    endpoints, networks: empty for all. expires_at: of the secret that was presented.
    """

    public_id: str
    name: str
    account_id: int
    account_enabled: bool
    plan_id: int
    markup: Decimal
    expires_at: float | None
    revoked: bool
    permissions: Permissions = EVERYTHING
    endpoints: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    is_management: bool = False
    tariff: Tariff = Tariff()
    limits: tuple[Limit, ...] = ()
    budgets: tuple[Budget, ...] = ()

    @property
    def is_test(self) -> bool:
        return self.permissions.test

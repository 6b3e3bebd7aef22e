"""What a dispatcher asks before each attempt: whether the provider's own limits leave room."""

from dataclasses import dataclass
from typing import Protocol

from providers.values import Route


@dataclass(frozen=True, slots=True)
class Busy:
    """A limit is reached; there may be room after `wait_s`."""

    wait_s: float
    message: str


class Slot(Protocol):
    """What one attempt holds."""

    def end(self, tokens: int | None) -> None:
        """Free it. tokens: what the provider counted, 0 if it saw nothing, None if unknown."""


class Slots(Protocol):
    """Counts attempts, over all processes and nodes."""

    def take(self, route: Route, tokens: int) -> Slot | Busy | None:
        """Return a slot for an attempt of about `tokens`; None where the provider has no limit."""


class Unlimited:
    """Slots of which there are always enough."""

    def take(self, route: Route, tokens: int) -> None:
        return None

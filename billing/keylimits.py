"""What a key may spend. The one place where the key's page and API learn of its budgets."""

from dataclasses import dataclass

from billing.models import ApiKey


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """Nano-USD, None for no budget. reset: daily, weekly, monthly; None for never."""

    limit_nano: int | None = None
    remaining_nano: int | None = None
    reset: str | None = None


NO_LIMIT = KeyLimit()


def limit_of(row: ApiKey) -> KeyLimit:
    """Return the narrowest budget of the key. There are none yet."""
    return NO_LIMIT

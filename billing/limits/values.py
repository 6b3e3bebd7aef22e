"""Limits and budgets as a request meets them: frozen values, no Django, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

REQUESTS, TOKENS, CONCURRENCY = "requests", "tokens", "concurrency"
UNITS = (REQUESTS, TOKENS, CONCURRENCY)
WINDOWS_S = {"minute": 60, "hour": 3600, "day": 86400}
PERIODS = ("day", "week", "month", "total")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` in any `window`; at once, where the unit is concurrency.

    name: what is counted, the same for all who share it. scope: whose limit it is, for people.
    models: the pattern of model ids that count; empty for all.
    """

    name: str
    scope: str
    unit: str
    window: str
    amount: int
    models: str = ""

    @property
    def window_s(self) -> int:
        return WINDOWS_S.get(self.window, 0)

    @property
    def policy(self) -> str:
        """Write it as an item of the RateLimit-Policy field."""
        text = f'{self.amount};w={self.window_s};unit="{self.unit}";scope="{self.scope}"'
        return f'{text};models="{self.models}"' if self.models and quotable(self.models) else text

    def facts(self) -> dict[str, object]:
        """Return what an error says of it."""
        said: dict[str, object] = {"scope": self.scope, "unit": self.unit}
        said |= {"window": self.window or None, "limit": self.amount}
        return said | ({"models": self.models} if self.models else {})


def quotable(text: str) -> bool:
    return all(" " <= char <= "~" and char not in '"\\' for char in text)


@dataclass(frozen=True, slots=True)
class Budget:
    """Money that a key, account or member may spend in a period, in nano-USD; None: no such edge.

    At `soft_nano` somebody is told, above `hard_nano` requests are refused.
    """

    id: int
    scope: str
    period: str
    soft_nano: int | None
    hard_nano: int | None


def digest(name: str) -> tuple[int, int]:
    """Return 128 bits of a hash of `name`, as two signed words of which neither is zero."""
    raw = blake2b(name.encode(), digest_size=16).digest()
    high = int.from_bytes(raw[:8], "little", signed=True)
    low = int.from_bytes(raw[8:], "little", signed=True)
    return high or 1, low or 1


def windows(name: str, scope: str, amounts: dict[tuple[str, str], int | None]) -> Iterator[Limit]:
    """Yield a limit per amount that is set; `amounts` is by unit and window."""
    for (unit, window), amount in amounts.items():
        if amount is not None:
            yield Limit(f"{name}:{unit}:{window}", scope, unit, window, amount)

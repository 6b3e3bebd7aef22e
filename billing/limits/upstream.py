"""A provider's limits, and those of a credential there, counted as a client's are."""

import time
from collections.abc import Callable

from billing.limits.counters import Counter
from billing.limits.counting import Counting, Refused, Taken
from billing.limits.values import CONCURRENCY, REQUESTS, TOKENS, Limit, windows
from providers.slots import Busy
from providers.values import Endpoint, Route, Secret

MOST = 5000


class UpstreamSlots:
    """The dispatcher's slots: one per attempt, free again at its end."""

    def __init__(
        self, counting: Callable[[], Counting], clock: Callable[[], float] = time.time
    ) -> None:
        self._counting, self._clock = counting, clock
        self._counters: dict[tuple[str, int], tuple[Route, tuple[Counter, ...]]] = {}

    def take(self, route: Route, tokens: int) -> "Slot | Busy | None":
        """Return a slot, Busy where a limit is reached, and None where there is no limit."""
        counters = self._of(route)
        if not counters:
            return None
        now_ms = int(self._clock() * 1000)
        found = self._counting().take(counters, (), (1, tokens, 1, 0), now_ms)
        if isinstance(found, Refused):
            assert isinstance(found.by, Counter)
            return Busy(found.wait_ms / 1000, sentence(found.by))
        return Slot(self, found)

    def end(self, taken: Taken, tokens: int) -> None:
        self._counting().end(taken, tokens, 0, int(self._clock() * 1000))

    def _of(self, route: Route) -> tuple[Counter, ...]:
        name = route.endpoint.slug, route.secret.id
        known = self._counters.get(name)
        if known is None or not same(known[0], route):
            if len(self._counters) >= MOST:
                self._counters.clear()
            limits = tuple(limits_of(route.endpoint, route.secret))
            known = self._counters[name] = route, tuple(map(Counter, limits))
        return known[1]


class Slot:
    """What one attempt holds. Only the first `end` counts."""

    __slots__ = ("_slots", "_taken")

    def __init__(self, slots: UpstreamSlots, taken: Taken) -> None:
        self._slots = slots
        self._taken: Taken | None = taken

    def end(self, tokens: int | None) -> None:
        """Free it; tokens: those that the provider counted, 0 if it saw nothing, None: unknown."""
        taken, self._taken = self._taken, None
        if taken is not None:
            self._slots.end(taken, taken.needs[1] if tokens is None else tokens)


def same(old: Route, new: Route) -> bool:
    return old.secret is new.secret and old.endpoint is new.endpoint


def limits_of(endpoint: Endpoint, secret: Secret) -> list[Limit]:
    found = list(
        windows(
            f"credential:{secret.id}:{endpoint.slug}",
            "credential",
            {
                (REQUESTS, "minute"): secret.requests_per_minute,
                (TOKENS, "minute"): secret.tokens_per_minute,
                (CONCURRENCY, ""): secret.concurrency,
            },
        )
    )
    provider = {(CONCURRENCY, ""): endpoint.concurrency}
    return found + list(windows(f"provider:{endpoint.slug}", "provider", provider))


def sentence(counter: Counter) -> str:
    limit = counter.limit
    if limit.unit == CONCURRENCY:
        return "as many requests as allowed are under way there"
    return f"as many {limit.unit} as allowed went there in a {limit.window}"

"""Remembers what failed: what asked us to wait is left out, what keeps failing is tried last."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from providers.failures import Failure, Kind
from providers.values import Route

OPENS_AFTER = 5
FIRST_S = 15.0
LONGEST_S = 300.0
MOST_CIRCUITS = 10_000
SECRET_S = 60.0


@dataclass(slots=True)
class Circuit:
    """open_until: tried last until then. asked_until: not tried at all until then, for `asked_by`.

    pause_s: how long it opens the next time.
    """

    failures: int = 0
    pause_s: float = FIRST_S
    open_until: float = 0.0
    asked_until: float = 0.0
    asked_by: Kind | None = None


def keys(route: Route) -> tuple[Hashable, Hashable]:
    """A circuit per offer and per credential; a replaced key starts afresh."""
    slug = route.endpoint.slug
    return (slug, route.offer_id), (slug, route.secret)


class Breaker:
    """In memory, per process. Only what has failed takes room. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._circuits: dict[Hashable, Circuit] = {}

    def order(self, routes: Sequence[Route]) -> Sequence[Route]:
        """Return the routes to try: without those we were asked to wait for, failing ones last."""
        if not self._circuits:
            return routes
        now = self._clock()
        ready = [route for route in routes if self.wait_s(route) <= 0]
        return sorted(ready, key=lambda route: self._is_open(route, now))

    def wait_s(self, route: Route) -> float:
        """Return for how many seconds a provider asked us to leave `route` alone."""
        now = self._clock()
        return max((circuit.asked_until - now for circuit in self._of(route)), default=0.0)

    def asked_by(self, route: Route) -> Kind | None:
        """Return the kind of failure for which `route` waits longest."""
        circuits = sorted(self._of(route), key=lambda circuit: circuit.asked_until)
        return circuits[-1].asked_by if circuits else None

    def succeeded(self, route: Route) -> None:
        """Forget what failed, but not what we were asked to wait for since this was sent."""
        if not self._circuits:
            return
        now = self._clock()
        for key in keys(route):
            circuit = self._circuits.get(key)
            if circuit is not None and circuit.asked_until <= now:
                del self._circuits[key]

    def judge(self, route: Route, failure: Failure) -> None:
        """Count a failure against whom it blames."""
        if not failure.kind.blames:
            return
        offer, secret = keys(route)
        key = offer if failure.kind.blames == "offer" else secret
        circuit = self._circuits.setdefault(key, Circuit())
        if len(self._circuits) > MOST_CIRCUITS:
            del self._circuits[next(iter(self._circuits))]
        circuit.failures += 1
        now = self._clock()
        if failure.retry_after_s:
            circuit.asked_until = now + failure.retry_after_s
            circuit.asked_by = failure.kind
        elif failure.kind.blames == "secret":
            circuit.open_until = now + SECRET_S
        elif circuit.failures >= OPENS_AFTER and circuit.open_until <= now:
            circuit.open_until = now + circuit.pause_s
            circuit.pause_s = min(circuit.pause_s * 2, LONGEST_S)

    def _of(self, route: Route) -> list[Circuit]:
        return [c for c in map(self._circuits.get, keys(route)) if c is not None]

    def _is_open(self, route: Route, now: float) -> bool:
        return any(circuit.open_until > now for circuit in self._of(route))

"""What a request takes to be admitted: a place within limits, and money for what it can cost."""

from collections.abc import Sequence

from billing.books.records import Record
from billing.costs.estimates import Bounds, greatest_cost_nano
from billing.leases.pockets import Hold
from billing.limits.admitting import Admission
from billing.values import Key
from gatewayz.plane import plane
from providers.values import Route


class Admitted:
    """Let go of by `settle`, once, whatever became of the request."""

    __slots__ = ("_hold", "_place")

    def __init__(self, place: Admission, hold: Hold | None) -> None:
        self._place, self._hold = place, hold

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of the key's limits."""
        return self._place.headers

    def name(self, record: Record) -> None:
        """Write into `record` what was held for it; its cost may make that larger."""
        if self._hold is not None:
            record.hold_nano = self._hold.cover(record.cost_nano or 0)
            record.lease = plane.journal.process

    def settle(self, record: Record) -> None:
        """Keep what the request used, and give back the rest."""
        usage, cost = record.usage, record.cost_nano or 0
        self._place.settle(usage.prompt + usage.completion if usage else 0, cost)
        if self._hold is not None:
            self._hold.free(cost)

    async def returned(self) -> None:
        """Wait until money that was not used can be had anywhere, where the account has little."""
        if self._hold is not None:
            await self._hold.returned()


async def admit(key: Key, routes: Sequence[Route], bounds: Bounds, tokens: int) -> Admitted:
    """Count a request, once however many routes are tried, and hold the most that it can cost.

    A test key needs no money. Raises RateLimited, InsufficientCredits or NoProviderAvailable.
    """
    most = greatest_cost_nano(routes, bounds, key.markup, key.tariff)
    place = plane.limits.admit(key, routes[0].model_id, tokens, most)
    if key.is_test:
        return Admitted(place, None)
    try:
        return Admitted(place, await plane.purse.hold(key.account_id, most))
    except BaseException:
        place.release()
        raise

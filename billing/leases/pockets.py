"""One account's lease as its process knows it, the holds taken from it, and who waits for one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from billing.leases.moving import Moved, Wish
from billing.leases.refusing import refusal, unknown

MOST_WANTS = 500  # in one question
RETURN_S = 1.0
FIRST_HOLDS = 8  # a first slice is for so many more requests
OFTEN_S, SELDOM_S = 5.0, 60.0  # a slice that is used up so soon is doubled, one so late halved


class Hold:
    """Money reserved for one request. It is freed once, whatever becomes of the request."""

    __slots__ = ("_freed", "_pocket", "amount_nano")

    def __init__(self, pocket: "Pocket", amount_nano: int) -> None:
        self.amount_nano = amount_nano
        self._pocket = pocket
        self._freed = False

    def cover(self, cost_nano: int) -> int:
        """Make the hold as large as the cost, as far as the lease has idle money; return it."""
        more = min(cost_nano - self.amount_nano, self._pocket.idle)
        if more > 0 and not self._freed:
            self._pocket.idle -= more
            self.amount_nano += more
        return self.amount_nano

    def free(self, spent_nano: int = 0) -> None:
        """Make idle again what was not spent. The lease holds on to the rest until it is booked."""
        if not self._freed:
            self._freed = True
            self._pocket.freed(max(0, self.amount_nano - spent_nano))

    async def returned(self) -> None:
        """Wait until what it freed is where every process finds it, unless this one keeps it."""
        pocket = self._pocket
        if pocket.idle and not pocket.spare and pocket.task is not None:
            result: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            pocket.returns.append(result)
            await asyncio.wait([result], timeout=RETURN_S)


@dataclass(slots=True, eq=False)
class Waiter:
    amount_nano: int
    until: float
    result: asyncio.Future[Hold]


@dataclass(slots=True, eq=False)
class Pocket:
    """Money in nano-USD.

    idle: taken, and reserved for no request. holds: how many requests it serves now. spare:
    money may stay idle here; if not, it goes back at once. stale: what is idle shall go back.
    asking: the database says that we wait. unsure: a move of which nobody knows whether it was
    made: its reference, and what is idle if it was, and if not.
    """

    account_id: int
    wake: "Callable[[Pocket], None]"
    idle: int = 0
    holds: int = 0
    spare: bool = False
    stale: bool = False
    asking: bool = False
    unsure: tuple[str, int, int] | None = None
    slice: int = 0
    asked_at: float = 0.0
    used_at: float = 0.0
    waiting: deque[Waiter] = field(default_factory=deque)
    returns: list[asyncio.Future[None]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def empty(self) -> bool:
        busy = self.holds or self.waiting or self.task or self.unsure or self.asking
        return not (self.idle or self.spare or busy)

    @property
    def restless(self) -> bool:
        """Whether something has to be told to the bank, though nobody waits."""
        return bool(self.unsure or self.asking or (self.idle and not self.spare))

    def reserved(self, amount_nano: int) -> Hold:
        self.idle -= amount_nano
        self.holds += 1
        self.used_at = time.monotonic()
        return Hold(self, amount_nano)

    def freed(self, rest_nano: int) -> None:
        self.holds -= 1
        self.idle += rest_nano
        if not self.spare and (self.idle or self.waiting):
            self.wake(self)

    def serve(self) -> None:
        """Give idle money to who waits, in turn; who has left waits no more."""
        for waiter in list(self.waiting):
            if waiter.result.done():
                self.waiting.remove(waiter)
            elif waiter.amount_nano <= self.idle:
                self.waiting.remove(waiter)
                waiter.result.set_result(self.reserved(waiter.amount_nano))

    def wish(self) -> Wish | None:
        """Return what to ask for; None if there is nothing.

        A first question leaves what is idle here in its place for smaller requests.
        """
        wants = tuple(waiter.amount_nano for waiter in list(self.waiting)[:MOST_WANTS])
        returning = self.stale or self.asking or not self.spare
        back = self.idle if returning else 0
        if not (wants or back or self.asking or (self.spare and self.stale)):
            return None
        return Wish(back, self.idle - back, wants, self._slice(wants) if wants else 0)

    def _slice(self, wants: tuple[int, ...]) -> int:
        """Return how much to have beside the holds: enough for seconds of requests."""
        now = time.monotonic()
        since, self.asked_at = now - self.asked_at, now
        if since < OFTEN_S:
            self.slice *= 2
        elif since > SELDOM_S:
            self.slice //= 2
        self.slice = max(self.slice, FIRST_HOLDS * max(wants), sum(wants))
        return self.slice

    def take(self, wish: Wish, waiters: list[Waiter], moved: Moved) -> None:
        """Take in what the bank did, and answer those whose question is answered."""
        self.idle += moved.spare
        self.spare = bool(moved.spare or wish.keep)
        self.asking = moved.asked
        self.stale = self.stale and bool(wish.keep)
        for waiter, granted in zip(waiters, moved.granted, strict=True):
            if granted:
                self.waiting.remove(waiter)
                self.idle += waiter.amount_nano
                if not waiter.result.done():
                    waiter.result.set_result(self.reserved(waiter.amount_nano))
            elif wish.keep:
                self.stale = True  # ask once more, with all that is idle here
            elif not moved.elsewhere or time.monotonic() > waiter.until:
                self.waiting.remove(waiter)
                if not waiter.result.done():
                    waiter.result.set_exception(refusal(moved, waiter.amount_nano))

    def fail(self) -> None:
        """Tell all that wait that the database cannot be asked."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.result.done():
                waiter.result.set_exception(unknown())


def done(returns: Iterable[asyncio.Future[None]]) -> None:
    for result in returns:
        if not result.done():
            result.set_result(None)

"""What an upstream does with a request: a value with one verb, composed from others."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tests.upstreams.seen import Seen
from tests.upstreams.wire import Wire


class Behaviour(Protocol):
    """How requests are answered, any number of them. A `Check` returns one to refuse a request."""

    async def answer(self, seen: Seen, wire: Wire) -> None: ...


Check = Callable[[Seen], Behaviour | None]


class InTurn:
    """Answers with each behaviour once, in order, and with the last for ever."""

    def __init__(self, behaviours: Sequence[Behaviour]) -> None:
        self.left = list(behaviours)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        now = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        await now.answer(seen, wire)

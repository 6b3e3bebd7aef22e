"""The routes that a snapshot has resolved, for as long as they would come out the same."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.asks import ANY, Ask
from providers.values import Route

if TYPE_CHECKING:
    from catalog.values import Block

MOST_ASKS = 4096
MOST_ROUTES = 32


@dataclass(frozen=True, slots=True)
class Resolved:
    """Routes, the ids of the block rules that kept an offer out, and from when to when (Unix time)
    both hold: in between no block rule comes to mean something else."""

    routes: tuple[Route, ...]
    hits: frozenset[int]
    since: float
    until: float

    @classmethod
    def at(
        cls, now: float, blocks: Iterable["Block"], routes: tuple[Route, ...], hits: Iterable[int]
    ) -> "Resolved":
        turns = (turn for block in blocks for turn in block.turns_at() if turn > now)
        return cls(routes, frozenset(hits), now, min(turns, default=math.inf))


class Memory:
    """Belongs to one snapshot and goes with it. Only plain asks are kept: what a client wishes
    besides has no bounds."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Ask, Resolved] = {}

    def find(self, ask: Ask, now: float) -> Resolved | None:
        known = self._known.get(ask)
        return known if known is not None and known.since <= now < known.until else None

    def keep(self, ask: Ask, resolved: Resolved) -> None:
        if ask.models or ask.preferences is not ANY or len(resolved.routes) > MOST_ROUTES:
            return
        if len(self._known) >= MOST_ASKS:
            self._known.clear()
        self._known[ask] = resolved

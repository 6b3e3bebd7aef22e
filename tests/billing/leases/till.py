"""Accounts in memory, which behave as moving.Bank does on a database; and a database that fails."""

import threading
import time
from dataclasses import dataclass, field

from billing.leases.moving import Moved, NotMoved, Unsure, Wish, decide


@dataclass
class Till:
    """One account's money for several processes. `slow_s`: how long a question takes."""

    balance: int
    slow_s: float = 0.0
    leases: dict[str, int] = field(default_factory=dict)
    spare: set[str] = field(default_factory=set)
    asking: set[str] = field(default_factory=set)
    moves: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def held(self) -> int:
        return sum(self.leases.values())


@dataclass
class Clerk:
    """One process's bank. failing: "", "before" (nothing was moved) or "after" (nobody knows)."""

    till: Till
    name: str
    failing: str = ""
    away: bool = False
    done: set[str] = field(default_factory=set)

    def move(self, account_id: int, wish: Wish) -> Moved:
        time.sleep(self.till.slow_s)
        if self.failing == "before":
            raise NotMoved
        with self.till.lock:
            moved, delta = self._move(wish)
        if self.failing == "after":
            reference = f"{self.name}-{self.till.moves}"
            self.done.add(reference)
            raise Unsure(reference, delta)
        return moved

    def _move(self, wish: Wish) -> tuple[Moved, int]:
        till = self.till
        till.moves += 1
        mine = till.leases.get(self.name, 0)
        assert wish.back <= mine
        elsewhere = bool(till.spare - {self.name})
        contested = bool(till.asking - {self.name})
        granted, spare = decide(till.balance - till.held, wish, contested)
        taken = sum(want for want, fits in zip(wish.wants, granted, strict=True) if fits)
        delta = taken + spare - wish.back
        till.leases[self.name] = mine + delta
        assert till.leases[self.name] >= 0
        assert till.held <= till.balance
        asked = elsewhere and not all(granted)
        note(till.spare, self.name, bool(spare or wish.keep))
        note(till.asking, self.name, asked)
        return Moved(granted, spare, till.balance, till.held, elsewhere, asked), delta

    def was_moved(self, account_id: int, reference: str) -> bool:
        if self.away:
            raise NotMoved
        return reference in self.done

    def asked(self) -> set[int]:
        return {1} if self.till.asking - {self.name} else set()


def note(names: set[str], name: str, there: bool) -> None:
    names.add(name) if there else names.discard(name)

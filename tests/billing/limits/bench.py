"""A counting of its own folder, with a clock that the test moves."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from billing.limits.admitting import Limits
from billing.limits.counters import Counter
from billing.limits.counting import Counting, Refused, Taken
from billing.limits.sharing import SharedFile
from billing.limits.sweeping import sweep
from billing.limits.values import Limit

NAMES = itertools.count(1)
NOON_S = 1_800_000_000  # a moment, and a whole number of minutes


def opened(folder: Path, capacity: int = 64) -> SharedFile:
    """Open the file as a web process does."""
    file = SharedFile(folder, capacity)
    sweep(file)
    file.sit()
    return file


def limit(unit: str, amount: int, window: str = "minute", name: str = "") -> Limit:
    """Return a limit that nobody else shares, unless it is named."""
    window = "" if unit == "concurrency" else window
    return Limit(name or f"test:{next(NAMES)}", "key", unit, window, amount)


class Desk:
    """One process's side; several may share a folder. Time is in seconds since NOON_S."""

    def __init__(self, folder: Path, capacity: int = 64) -> None:
        self.file = opened(folder, capacity)
        self.counting = Counting(self.file)
        self.limits = Limits(self.counting, lambda: NOON_S + self.at_s)
        self.at_s = 0.0

    @property
    def now_ms(self) -> int:
        return int((NOON_S + self.at_s) * 1000)

    def take(self, counters: Sequence[Counter], tokens: int = 1, nano: int = 0) -> Taken | Refused:
        return self.counting.take(counters, (), (1, tokens, 1, nano), self.now_ms)

    def end(self, taken: Taken, tokens: int = 1) -> None:
        self.counting.end(taken, tokens, 0, self.now_ms)

    def close(self) -> None:
        self.file.close()

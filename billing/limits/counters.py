"""What a request is counted against: a name's place in the shared file, and its bound."""

from billing.limits import layout
from billing.limits.periods import period_of
from billing.limits.values import CONCURRENCY, UNITS, Budget, Limit, digest

MS = 1000


class Counter:
    """One limit's entry. step_ms: 0 for what is held at once. place: where it was seen last."""

    __slots__ = ("high", "limit", "low", "most", "place", "step_ms", "unit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.high, self.low = digest(limit.name)
        self.step_ms = limit.window_s * MS // layout.PARTS
        self.unit = UNITS.index(limit.unit)
        self.most = limit.amount
        self.place = layout.HEAD_WORDS
        assert bool(self.step_ms) is (limit.unit != CONCURRENCY)


class Allowance:
    """One budget's entry, with the period that is running."""

    __slots__ = ("begin_s", "budget", "end_s", "hard", "high", "low", "place")

    step_ms = layout.ALLOWANCE

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.high, self.low = digest(f"budget:{budget.id}:{budget.period}")
        self.hard = budget.hard_nano
        self.place = layout.HEAD_WORDS
        self.begin_s = self.end_s = 0

    def begin(self, now_s: int) -> int:
        """Return when the period began that `now_s` is in."""
        if not self.begin_s <= now_s < self.end_s:
            self.begin_s, self.end_s = period_of(self.budget.period, now_s)
        return self.begin_s

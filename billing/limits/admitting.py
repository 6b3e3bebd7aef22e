"""Admits requests against limits and budgets; what the data plane speaks to."""

import logging
import time
from collections import deque
from collections.abc import Callable

from billing.limits import refusals
from billing.limits.counters import Allowance
from billing.limits.counting import Counting, Refused, Taken
from billing.limits.policies import Policies
from billing.limits.values import Budget
from billing.values import Key
from providers.errors import GatewayError

MOST_REFUSALS = 1000  # that wait to be told of
NANO = 3
log = logging.getLogger(__name__)
Clock = Callable[[], float]


class Admission:
    """What one request holds until it ends: `settle` when it was used, `release` when it was not.
    Only the first call counts. headers: the RateLimit fields of its answer."""

    __slots__ = ("_clock", "_counting", "_taken", "headers")

    def __init__(
        self, counting: Counting, taken: Taken, headers: dict[str, str], clock: Clock
    ) -> None:
        self._counting, self._clock = counting, clock
        self._taken: Taken | None = taken
        self.headers = headers

    def settle(self, tokens: int, cost_nano: int) -> None:
        """End with what was really used: the tokens of prompt and answer, and the cost."""
        taken, self._taken = self._taken, None
        if taken is not None:
            self._counting.end(taken, tokens, cost_nano, now_ms(self._clock))

    def release(self) -> None:
        """End without use: tokens and money go back. The request itself has been made."""
        self.settle(0, 0)


class Limits:
    """`admit` asks nobody: neither a database nor another node."""

    def __init__(self, counting: Counting, clock: Clock = time.time) -> None:
        self.counting = counting
        self.refused: deque[tuple[int, int]] = deque(maxlen=MOST_REFUSALS)
        self.unknown: dict[int, Budget] = {}
        self._clock = clock
        self._policies = Policies()

    def admit(self, key: Key, model: str, tokens: int, greatest_nano: int = 0) -> Admission:
        """Count a request of `key`; raises RateLimited, InsufficientCredits.

        tokens: those of the prompt, estimated; what the answer adds is counted when it is known.
        greatest_nano: the most that the request can cost.
        """
        applying = self._policies.of(key).applying(model)
        needs = (1, tokens, 1, greatest_nano)
        counting = self.counting
        found = counting.take(applying.counters, applying.allowances, needs, now_ms(self._clock))
        if isinstance(found, Refused):
            raise self._refusal(found, needs, applying.header)
        headers = refusals.of_taken(found, applying.header)
        return Admission(counting, found, headers, self._clock)

    def _refusal(self, found: Refused, needs: tuple[int, ...], policy: str) -> GatewayError:
        by = found.by
        if not isinstance(by, Allowance):
            return refusals.error(found, needs[by.unit], policy)
        if found.left >= 0:
            self.refused.append((by.budget.id, by.begin_s))
        else:
            self.unknown[by.budget.id] = by.budget
        return refusals.error(found, needs[NANO], policy)


def now_ms(clock: Clock) -> int:
    return int(clock() * 1000)

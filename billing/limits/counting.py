"""Counts requests against limits and budgets, all of one request under one lock.

Windows never hold more than their limit: a use is forgotten a hundredth of the window late at most,
and never early. What is held at once is kept by process, so that it can be taken from a dead one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billing.limits import shares
from billing.limits.counters import Allowance, Counter
from billing.limits.layout import (
    BEGIN,
    CELLS,
    LOW,
    NODES,
    OTHERS,
    PARTS,
    RING,
    SEEDED,
    SPENT,
    TICK,
    TOTAL,
    WAKE,
)
from billing.limits.sharing import SharedFile
from billing.limits.table import find, roll, settle_in, wait_ms

Needs = tuple[int, int, int, int]  # requests, tokens, at once, nano-USD
TOKENS, NANO = 1, 3
SOON_MS = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """What stood in the way. left: what was free of it; wait_ms: until enough may be."""

    by: Counter | Allowance
    left: int
    wait_ms: int


@dataclass(slots=True)
class Taken:
    """What one request holds, since when. tightest: the window with the least part free."""

    counters: Sequence[Counter]
    allowances: Sequence[Allowance]
    needs: Needs
    now_ms: int
    generation: int
    tightest: Counter | None = None
    left: int = 0
    wait_ms: int = 0


class Counting:
    """The only one who changes counts. Times are Unix milliseconds."""

    def __init__(self, file: SharedFile) -> None:
        self.file = file
        self.capacity = file.capacity
        self.on_news: Callable[[], None] = lambda: None  # other nodes should be asked now

    def take(
        self,
        counters: Sequence[Counter],
        allowances: Sequence[Allowance],
        needs: Needs,
        now_ms: int,
    ) -> Taken | Refused:
        """Count a request against everything, or against nothing."""
        file = self.file
        file.lock()
        try:
            words = file.words
            for counter in counters:
                refused = self._over(words, counter, needs[counter.unit], now_ms)
                if refused is not None:
                    return refused
            for allowance in allowances:
                refused = self._spent(words, allowance, needs[NANO], now_ms)
                if refused is not None:
                    return refused
            taken = Taken(counters, allowances, needs, now_ms, file.generation)
            self._add(words, taken)
            return taken
        finally:
            asked, file.words[WAKE] = file.words[WAKE], 0
            file.unlock()
            if asked:
                self.on_news()

    def _over(self, words: memoryview, counter: Counter, need: int, now_ms: int) -> Refused | None:
        place = counter.place
        if words[place] != counter.high or words[place + LOW] != counter.low:
            place = settle_in(words, self.capacity, counter, now_ms)
        step = counter.step_ms
        if step and words[place + TICK] != now_ms // step:
            roll(words, place, now_ms // step)
        left = counter.most - words[place + TOTAL]
        if words[NODES] > 1:
            left = shares.left(words, place, counter.most, need, now_ms)
        if need <= left:
            return None
        wait = wait_ms(words, place, need - left, now_ms) if step else SOON_MS
        return Refused(counter, max(0, left), wait)

    def _spent(
        self, words: memoryview, allowance: Allowance, need: int, now_ms: int
    ) -> Refused | None:
        place = self._allowance(words, allowance, now_ms)
        if not words[place + SEEDED]:
            return Refused(allowance, -1, SOON_MS)
        if allowance.hard is None:
            return None
        left = allowance.hard - words[place + SPENT] - words[place + TOTAL]
        if need <= max(0, left):
            return None
        return Refused(allowance, max(0, left), allowance.end_s * 1000 - now_ms)

    def _allowance(self, words: memoryview, allowance: Allowance, now_ms: int) -> int:
        """Return a budget's place, in the period that is running."""
        place = allowance.place
        if words[place] != allowance.high or words[place + LOW] != allowance.low:
            place = settle_in(words, self.capacity, allowance, now_ms)
        begin = allowance.begin(now_ms // 1000)
        if words[place + BEGIN] != begin:
            words[place + SPENT] = 0
            words[place + BEGIN] = begin
        return place

    def _add(self, words: memoryview, taken: Taken) -> None:
        now_ms, needs = taken.now_ms, taken.needs
        own, together = CELLS + self.file.process, words[NODES] > 1
        least = 2.0
        for counter in taken.counters:
            place, step, need = counter.place, counter.step_ms, needs[counter.unit]
            total = words[place + TOTAL] + need
            if step:
                words[place + CELLS + now_ms // step % RING] += need
                left = counter.most - total - (words[place + OTHERS] if together else 0)
                part = left / counter.most if counter.most else 0.0
                if part < least:
                    least, taken.tightest, taken.left = part, counter, left
            else:
                words[place + own] += need
            words[place + TOTAL] = total
            if together:
                shares.took(words, place, need)
        for allowance in taken.allowances:
            words[allowance.place + own] += needs[NANO]
            words[allowance.place + TOTAL] += needs[NANO]
        if taken.tightest is not None and taken.left <= 0:
            taken.wait_ms = wait_ms(words, taken.tightest.place, 1, now_ms)

    def end(self, taken: Taken, tokens: int, nano: int, now_ms: int) -> None:
        """Give back what was held, and put real tokens and money where the estimates were."""
        if taken.generation != self.file.generation:
            return  # the file they were counted in is gone
        self.file.lock()
        try:
            words, own = self.file.words, CELLS + self.file.process
            for counter in taken.counters:
                if not counter.step_ms:
                    self._free(words, counter, own, taken.needs[counter.unit])
                elif counter.unit == TOKENS and tokens != taken.needs[TOKENS]:
                    self._correct(words, counter, taken, tokens, now_ms)
            for allowance in taken.allowances:
                self._free(words, allowance, own, taken.needs[NANO])
                self._spend(words, allowance, taken, nano)
        finally:
            self.file.unlock()

    def _free(self, words: memoryview, entry: Counter | Allowance, own: int, held: int) -> None:
        place = find(words, self.capacity, entry)
        if place:
            words[place + own] -= held
            words[place + TOTAL] -= held
            if not entry.step_ms and words[NODES] > 1:
                shares.took(words, place, -held)

    def _correct(
        self, words: memoryview, counter: Counter, taken: Taken, tokens: int, now_ms: int
    ) -> None:
        """More counts from now on; less is taken from where it was counted, while that counts."""
        place, step = find(words, self.capacity, counter), counter.step_ms
        if not place:
            return
        if words[place + TICK] < now_ms // step:
            roll(words, place, now_ms // step)
        more = tokens - taken.needs[TOKENS]
        at = (now_ms if more > 0 else taken.now_ms) // step
        if 0 <= words[place + TICK] - at <= PARTS:
            words[place + CELLS + at % RING] += more
            words[place + TOTAL] += more
            if words[NODES] > 1:
                shares.took(words, place, more)

    def _spend(self, words: memoryview, allowance: Allowance, taken: Taken, nano: int) -> None:
        """Add real money to the period that the request began in."""
        place = find(words, self.capacity, allowance)
        if place and words[place + BEGIN] <= taken.now_ms // 1000:
            words[place + SPENT] += nano

    def know_spent(self, allowance: Allowance, begin_s: int, nano: int, now_ms: int) -> None:
        """Take over what the database says was spent since `begin_s`; it may lag, and rises."""
        self.file.lock()
        try:
            words = self.file.words
            place = self._allowance(words, allowance, now_ms)
            if words[place + BEGIN] == begin_s:
                words[place + SPENT] = max(words[place + SPENT], nano)
                words[place + SEEDED] = 1
        finally:
            self.file.unlock()

"""The entries of the shared file: found by hash, rolled on with time, given up when stale.

Call everything here while holding the file's lock.
"""

from billing.limits import layout
from billing.limits.counters import Allowance, Counter
from billing.limits.layout import (
    ALLOWANCE,
    CELLS,
    ENTRY_WORDS,
    GAUGE,
    HEAD_WORDS,
    HIGH,
    LOW,
    OTHERS,
    PARTS,
    PROBES,
    RING,
    STEP,
    TICK,
    TOTAL,
)

BLANK = memoryview(bytes(layout.WORD * ENTRY_WORDS)).cast("q")


def find(words: memoryview, capacity: int, entry: Counter | Allowance) -> int:
    """Return the entry's place, 0 if it has none."""
    slot = entry.low % capacity
    for probe in range(PROBES):
        place = HEAD_WORDS + (slot + probe) % capacity * ENTRY_WORDS
        if words[place] == entry.high and words[place + LOW] == entry.low:
            return place
    return 0


def settle_in(words: memoryview, capacity: int, entry: Counter | Allowance, now_ms: int) -> int:
    """Return the entry's place; a new one takes a free place, or the one that is missed least."""
    place = find(words, capacity, entry)
    if not place:
        slot = entry.low % capacity
        places = [HEAD_WORDS + (slot + probe) % capacity * ENTRY_WORDS for probe in range(PROBES)]
        place = min(places, key=lambda at: worth(words, at, now_ms))
        if worth(words, place, now_ms) > 0:
            words[layout.EVICTIONS] += 1
        clear(words, place)
        words[place + STEP] = entry.step_ms
        words[place + LOW] = entry.low
        words[place + HIGH] = entry.high
    entry.place = place
    return place


def clear(words: memoryview, place: int) -> None:
    words[place + HIGH] = words[place + LOW] = 0
    words[place : place + ENTRY_WORDS] = BLANK


def worth(words: memoryview, place: int, now_ms: int) -> int:
    """Return how much an entry would be missed: -1 for a free place, 0 for a stale one."""
    if not words[place] and not words[place + LOW]:
        return -1
    step, total = words[place + STEP], words[place + TOTAL]
    if step == GAUGE or (step == ALLOWANCE and total):
        return now_ms * 2 if total else 0
    if step == ALLOWANCE:
        return 1  # it can be read again
    last_ms = (words[place + TICK] + 1) * step
    return 0 if last_ms + PARTS * step < now_ms else last_ms


def roll(words: memoryview, place: int, tick: int) -> None:
    """Forget the steps of a window that are over at `tick`, and add up what is left.

    A clock that went back a little changes nothing; one that went back far starts anew.
    """
    gap = tick - words[place + TICK]
    if gap > PARTS or gap < -PARTS:
        words[place + CELLS : place + CELLS + RING] = BLANK[:RING]
        words[place + OTHERS] = words[place + TOTAL] = 0
    elif gap > 0:
        for late in range(tick - gap + 1, tick + 1):
            words[place + CELLS + late % RING] = 0
        words[place + TOTAL] = sum(words[place + CELLS : place + CELLS + RING])
    if gap > 0 or gap < -PARTS:
        words[place + TICK] = tick


def wait_ms(words: memoryview, place: int, excess: int, now_ms: int) -> int:
    """Return when a window will have forgotten `excess`: the rest of what it holds, at most."""
    step, tick = words[place + STEP], words[place + TICK]
    for age in range(PARTS, -1, -1):
        excess -= words[place + CELLS + (tick - age) % RING]
        if excess <= 0:
            return max(1, (tick - age + RING) * step - now_ms)
    return max(1, (tick + RING) * step - now_ms)

"""A limit that several nodes share: what one may take between two times it hears of the others.

A node claims its share of what is free, in Redis, and takes no more until it claims again. What it
first meets after a silence it may take its share of at once; it claims that afterwards. While Redis
is gone, a node may use its share of the whole limit.

Call everything here while holding the file's lock.
"""

from billing.limits.layout import (
    CUT_OFF,
    ENTRY_WORDS,
    FIRST,
    HEAD_WORDS,
    HEARD,
    LIMIT,
    MOST_TOLD,
    NODES,
    OTHERS,
    SHARE,
    STATE,
    TELL,
    TO_TELL,
    TOLD,
    TOTAL,
    WAKE,
)

FRESH_MS = 2000


def share_of(left: int, nodes: int) -> int:
    """Return what one of `nodes` may take of what is left: something, as long as there is any."""
    return max(1, left // nodes) if left > 0 else 0


def left(words: memoryview, place: int, most: int, need: int, now_ms: int) -> int:
    """Return how much of a limit this node may still take; `need` where its share is not used up:
    a request that is larger than the share's rest must not wait for ever."""
    nodes = words[NODES]
    if words[STATE] == CUT_OFF:
        return share_of(most, nodes) - words[place + TOTAL]
    free = most - words[place + TOTAL] - words[place + OTHERS]
    if now_ms - words[place + HEARD] > FRESH_MS:
        words[place + SHARE] = share_of(free, nodes)
        words[place + HEARD] = now_ms
        words[place + FIRST] = words[WAKE] = 1
    words[place + LIMIT] = most
    mark(words, place)
    return free if words[place + SHARE] > 0 else min(free, need - 1)


def took(words: memoryview, place: int, amount: int) -> None:
    words[place + SHARE] -= amount
    mark(words, place)


def mark(words: memoryview, place: int) -> None:
    """Put the entry on the list of those that other nodes are told of. If the list is full, it is
    tried again at the next touch."""
    told = words[TOLD]
    if not words[place + TO_TELL] and told < MOST_TOLD:
        words[TELL + told] = (place - HEAD_WORDS) // ENTRY_WORDS
        words[TOLD] = told + 1
        words[place + TO_TELL] = 1

"""Long work beside the event loop, in short turns, so that no request waits for it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
TURN_S = 0.001
PAUSE_S = 0.0003
ROWS = 200  # to fetch at once: a driver that makes 2,000 of them keeps the interpreter for 30 ms


_hurrying = ContextVar("hurrying", default=False)


@contextmanager
def hurriedly() -> Iterator[None]:
    """Let this thread go on without pauses, where no request can wait for it yet."""
    token = _hurrying.set(True)
    try:
        yield
    finally:
        _hurrying.reset(token)


def politely(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items; after each turn the interpreter is left to other threads for a moment.

    Without it a thread that computes gives the interpreter away every 5 ms only.
    """
    if _hurrying.get():
        yield from items
        return
    until = time.perf_counter() + TURN_S
    for item in items:
        yield item
        if time.perf_counter() > until:
            time.sleep(PAUSE_S)
            until = time.perf_counter() + TURN_S

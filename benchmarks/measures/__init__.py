"""One measure a module: each takes a target and returns figures."""

import asyncio
import contextlib
import gc
import resource
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(measuring: Coroutine[Any, Any, Result]) -> Result:
    """Run a load in a loop of its own, fast, and with no pause of the collector."""
    with uncollected():
        try:
            import uvloop
        except ImportError:
            return asyncio.run(measuring)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(measuring)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def room_for_files(count: int) -> bool:
    """Allow this process, and what it starts, `count` open files; False if that is forbidden."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= count

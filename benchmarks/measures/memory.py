"""Memory: of an open stream, of the process; and whether thousands of streams stay prompt."""

import asyncio
from dataclasses import dataclass

from benchmarks.measures import room_for_files, run
from benchmarks.measures.latency import Delays
from benchmarks.measures.streams import close, opened
from benchmarks.peers import HELD, OPEN, Target
from tests.world.processes import rss_bytes

PER_S = 400  # streams opened
FILES_PER_STREAM = 2  # in the gateway; the client and the upstream need one each
SPARE_FILES = 200
PROMPT_MS = 50
FIRST_CHUNKS_S = 25  # a second one comes after 30


@dataclass(frozen=True)
class Held:
    """What open streams cost and how late their chunks, a second apart, came."""

    streams: int
    kb_each: float
    late: Delays
    most_ms: float
    prompt_share: float


def kb_each(target: Target, streams: int) -> float:
    """Return what a stream holds while it waits between two chunks."""
    if not room_for_files(streams + SPARE_FILES):
        raise RuntimeError(f"too few open files are allowed for {streams} streams")
    return run(waiting(target, streams))


async def waiting(target: Target, streams: int) -> float:
    before = rss_bytes(target.pid)
    watchers = await opened(target.streaming, HELD, streams, max(1.0, streams / PER_S))
    for _ in range(FIRST_CHUNKS_S):
        if all(watcher.delays for watcher in watchers):
            break
        await asyncio.sleep(1)
    after = rss_bytes(target.pid)
    came = sum(bool(watcher.delays) and not watcher.lost for watcher in watchers)
    close(watchers)
    if came < streams:
        raise RuntimeError(f"{target.name} opened {came} of {streams} streams")
    return (after - before) / streams / 1024


def hold(target: Target, streams: int, seconds: float) -> Held:
    """Keep streams open with a chunk a second in each. RuntimeError if any broke."""
    if not room_for_files(streams + SPARE_FILES):
        raise RuntimeError(f"too few open files are allowed for {streams} streams")
    return run(holding(target, streams, seconds))


async def holding(target: Target, streams: int, seconds: float) -> Held:
    before = rss_bytes(target.pid)
    watchers = await opened(target.streaming, OPEN, streams, max(1.0, streams / PER_S))
    await asyncio.sleep(2)
    for watcher in watchers:
        watcher.delays.clear()
    await asyncio.sleep(seconds)
    after = rss_bytes(target.pid)
    delays = [delay for watcher in watchers for delay in watcher.delays]
    broken = sum(watcher.lost or not watcher.delays for watcher in watchers)
    close(watchers)
    if broken:
        raise RuntimeError(f"{broken} of {streams} streams broke or stood still at {target.name}")
    prompt = sum(delay * 1000 <= PROMPT_MS for delay in delays) / len(delays)
    each = (after - before) / streams / 1024
    return Held(streams, each, Delays.of(delays), max(delays) * 1000, prompt)

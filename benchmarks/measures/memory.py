"""Memory: of an open stream, of the process; and whether thousands of streams stay prompt."""

import asyncio
from dataclasses import dataclass

from benchmarks.measures import room_for_files, run
from benchmarks.measures.latency import Delays
from benchmarks.measures.streams import Watcher, close, opened
from benchmarks.peers import HELD, OPEN, Target
from tests.world.processes import rss_bytes

PER_S = 400  # streams opened
FILES_PER_STREAM = 2  # in the gateway; the client and the upstream need one each
SPARE_FILES = 200
PROMPT_MS = 50
FIRST_CHUNKS_S = 25  # a second one comes after 30


@dataclass(frozen=True)
class Held:
    """What open streams cost and how late their chunks, 4 s apart, came."""

    streams: int
    kb_each: float
    late: Delays
    most_ms: float
    prompt_share: float


def kb_each(target: Target, streams: int, before: int) -> float:
    """Return what a stream holds while it waits between two chunks; before: bytes without any."""
    if not room_for_files(streams + SPARE_FILES):
        raise RuntimeError(f"too few open files are allowed for {streams} streams")
    return run(waiting(target, streams, before))


async def begun(target: Target, model: str, streams: int) -> list[Watcher]:
    """Open the streams, and return once each has had its first chunk."""
    watchers = await opened(target.streaming, model, streams, max(1.0, streams / PER_S))
    for _ in range(FIRST_CHUNKS_S):
        if all(watcher.delays for watcher in watchers):
            break
        await asyncio.sleep(1)
    came = sum(bool(watcher.delays) for watcher in watchers)
    lost = sum(watcher.lost for watcher in watchers)
    if came < streams or lost:
        close(watchers)
        told = next((one.rest[:200] for one in watchers if not one.delays), b"")
        raise RuntimeError(f"of {streams} streams {came} began, {lost} broke; one got {told!r}")
    return watchers


async def waiting(target: Target, streams: int, before: int) -> float:
    watchers = await begun(target, HELD, streams)
    after = rss_bytes(target.pid)
    close(watchers)
    return (after - before) / streams / 1024


def hold(target: Target, streams: int, seconds: float) -> Held:
    """Keep streams open with a chunk every 4 s in each. RuntimeError if any broke."""
    if not room_for_files(streams + SPARE_FILES):
        raise RuntimeError(f"too few open files are allowed for {streams} streams")
    return run(holding(target, streams, seconds))


async def holding(target: Target, streams: int, seconds: float) -> Held:
    before = rss_bytes(target.pid)
    watchers = await begun(target, OPEN, streams)
    await asyncio.sleep(4)
    for watcher in watchers:
        watcher.delays.clear()
    await asyncio.sleep(seconds)
    after = rss_bytes(target.pid)
    delays = [delay for watcher in watchers for delay in watcher.delays]
    lost = sum(watcher.lost for watcher in watchers)
    still = sum(not watcher.delays for watcher in watchers)
    close(watchers)
    if lost or still:
        raise RuntimeError(f"of {streams} streams {lost} broke and {still} stood still")
    prompt = sum(delay * 1000 <= PROMPT_MS for delay in delays) / len(delays)
    each = (after - before) / streams / 1024
    return Held(streams, each, Delays.of(delays), max(delays) * 1000, prompt)

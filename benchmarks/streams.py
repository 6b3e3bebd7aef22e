"""Load of streams: many at once, a chunk every 20 ms in each, each chunk stamped as it left."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import cast
from urllib.parse import urlsplit

from benchmarks.processors import cpu_s
from benchmarks.requests import post
from benchmarks.targets import Target

STREAMS = 200
GAP_MS = 20
RAMP_S = 1.0
BODY = json.dumps(
    {
        "model": "acme/stream",
        "stream": True,
        "messages": [{"role": "user", "content": "Count."}],
    }
)
STAMP = re.compile(rb'"content": ?"(\d+\.\d+)"')


def chunks_for(seconds: float) -> int:
    """Return how long a stream must be to last through the ramp and the measurement."""
    return int((2 * RAMP_S + seconds) * 1000 / GAP_MS)


@dataclass(frozen=True)
class Relayed:
    """What a chunk cost of the target's CPU, and how late chunks came.

    cpu_us: None where there is no target. share: of the chunks due, those that came.
    """

    cpu_us: float | None
    median_ms: float
    p99_ms: float
    share: float


class Watcher(asyncio.Protocol):
    """Reads one stream and notes by how much each chunk is late."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.delays: list[float] = []
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        *events, self.rest = (self.rest + data).split(b"\n\n")
        for event in events:
            if found := STAMP.search(event):
                self.delays.append(now - float(found[1]))


def relay(target: Target, seconds: float) -> Relayed:
    return run(watch(target, seconds))


def run(watching):
    try:
        import uvloop
    except ImportError:
        return asyncio.run(watching)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(watching)


async def watch(target: Target, seconds: float) -> Relayed:
    """Measure while all streams run: neither their beginning nor their end."""
    request = post(target, target.streaming_url, BODY)
    watchers = await opened(target, request)
    for watcher in watchers:
        watcher.delays.clear()
    before, began = cpu_s(target.pid), time.monotonic()
    await asyncio.sleep(seconds)
    spent, took = cpu_s(target.pid) - before, time.monotonic() - began
    delays = [delay * 1000 for watcher in watchers for delay in watcher.delays]
    for watcher in watchers:
        watcher.transport.abort()
    due = STREAMS * took * 1000 / GAP_MS
    if len(delays) < due / 2:
        raise RuntimeError(f"{len(delays)} of {due:.0f} chunks came through the {target.name}")
    p99 = quantiles(delays, n=100)[98]
    return Relayed(spent / len(delays) * 1e6, median(delays), p99, len(delays) / due)


async def opened(target: Target, request: bytes) -> list[Watcher]:
    """Open the streams one after the other, so that their chunks spread over time."""
    place = urlsplit(target.streaming_url)
    loop = asyncio.get_running_loop()
    watchers = []
    began = loop.time()
    for number in range(STREAMS):
        _, watcher = await loop.create_connection(
            lambda: Watcher(request), place.hostname, place.port
        )
        watchers.append(watcher)
        await asyncio.sleep(began + (number + 1) * RAMP_S / STREAMS - loop.time())
    return watchers

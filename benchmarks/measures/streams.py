"""Load of streams: many at once, each chunk stamped as it left its upstream."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import cast

from benchmarks.measures import run
from benchmarks.peers import CHUNKS, Aim, Target
from benchmarks.processors import cpu_s

STREAMS, FEWEST = 200, 2
SWIFT_US = 600
GAP_MS = 20
RAMP_S = 1.0
KEPT_UP = 0.9
STAMP = re.compile(rb'"content": ?"(\d+\.\d+)"')


def body_for(model: str) -> str:
    messages = [{"role": "user", "content": "Count."}]
    return json.dumps({"model": model, "stream": True, "messages": messages, "max_tokens": 100})


@dataclass(frozen=True)
class Relayed:
    """What a chunk cost of the target's CPU, and how late chunks came.

    share: of the chunks due, those that came. streams: how many ran at once.
    """

    cpu_us: float
    median_ms: float
    p99_ms: float
    share: float
    streams: int


class Watcher(asyncio.Protocol):
    """Reads one stream and notes by how much each chunk is late."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.delays: list[float] = []
        self.rest = b""
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        *events, self.rest = (self.rest + data).split(b"\n\n")
        for event in events:
            if found := STAMP.search(event):
                self.delays.append(now - float(found[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


def relay(target: Target, seconds: float, request_us: float = 0) -> Relayed:
    """Measure with 200 streams, or with as many as the target keeps up with.

    request_us: what a request costs it; one that is slow in them gets fewer streams to begin with.
    """
    streams = max(FEWEST, int(STREAMS * min(1.0, SWIFT_US / max(request_us, 1))))
    while True:
        found = run(watch(target, seconds, streams))
        if found.share >= KEPT_UP:
            return found
        if streams <= FEWEST:
            raise RuntimeError(f"{target.name} passed {found.share:.0%} of {streams} streams")
        streams = max(FEWEST, int(streams * min(found.share, KEPT_UP) / 2))
        until_idle(target.pid)


async def watch(target: Target, seconds: float, streams: int) -> Relayed:
    """Measure while all streams run: neither their beginning nor their end."""
    watchers = await opened(target.streaming, CHUNKS, streams, RAMP_S)
    await asyncio.sleep(RAMP_S)
    for watcher in watchers:
        watcher.delays.clear()
    before, began = cpu_s(target.pid), time.monotonic()
    await asyncio.sleep(seconds)
    spent, took = cpu_s(target.pid) - before, time.monotonic() - began
    delays = [delay * 1000 for watcher in watchers for delay in watcher.delays]
    close(watchers)
    due = streams * took * 1000 / GAP_MS
    if len(delays) < 100:
        return Relayed(0, 0, 0, len(delays) / due, streams)
    p99 = quantiles(delays, n=100)[98]
    share = len(delays) / due
    return Relayed(spent / len(delays) * 1e6, median(delays), p99, share, streams)


async def opened(aim: Aim, model: str, count: int, ramp_s: float) -> list[Watcher]:
    """Open the streams one after the other, so that their chunks spread over time."""
    request = aim.request(body_for(model))
    loop = asyncio.get_running_loop()
    watchers = []
    began = loop.time()
    for number in range(count):
        _, watcher = await loop.create_connection(lambda: Watcher(request), *aim.place)
        watchers.append(watcher)
        await asyncio.sleep(began + (number + 1) * ramp_s / count - loop.time())
    return watchers


def close(watchers: Sequence[Watcher]) -> None:
    for watcher in watchers:
        watcher.transport.abort()


def until_idle(pid: int, at_most_s: float = 60) -> None:
    """Wait until a process has worked off what was asked of it."""
    until = time.monotonic() + at_most_s
    while time.monotonic() < until:
        before = cpu_s(pid)
        time.sleep(0.5)
        if cpu_s(pid) - before < 0.05:
            return

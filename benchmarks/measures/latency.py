"""Delays: one connection, and an open loop whose requests come when they are due.

In the open loop a delay begins when the request was due, not when it could be sent, so that a
target that stalls is charged for everybody who waited: no coordinated omission.
"""

import asyncio
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from benchmarks.measures import run, uncollected
from benchmarks.measures.requests import BODY, whole
from benchmarks.measures.streams import STAMP, body_for
from benchmarks.peers import SHORT, Aim

CONNECTIONS, MOST_CONNECTIONS = 16, 512
STREAMS_PER_S = 20
MOST_PER_S = 3000  # more, and this generator itself would be late
GRACE_S = 5
FEW = 3


@dataclass(frozen=True)
class Delays:
    """Milliseconds, and of how many answers."""

    p50: float
    p99: float
    p999: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Delays":
        if not seconds:
            raise RuntimeError("nothing was answered")
        ordered = sorted(seconds)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

        return cls(at(0.5), at(0.99), at(0.999), len(ordered))

    def over(self, floor: "Delays") -> "Delays":
        """Return what is added to `floor`, quantile by quantile."""
        return Delays(
            max(0.0, self.p50 - floor.p50),
            max(0.0, self.p99 - floor.p99),
            max(0.0, self.p999 - floor.p999),
            self.count,
        )


def one_by_one(aim: Aim, seconds: float) -> Delays:
    """Ask on one connection, the next when the last is answered."""
    request = aim.request(BODY)
    found = []
    with socket.create_connection(aim.place, 30) as sock, uncollected():
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        warm, until = time.monotonic() + seconds / 5, time.monotonic() + seconds
        while (began := time.monotonic()) < until:
            sock.sendall(request)
            received = b""
            while not whole(received):
                piece = sock.recv(1 << 16)
                if not piece:
                    raise RuntimeError(f"{aim.url} closed the connection: {received[:300]!r}")
                received += piece
            if began > warm:
                found.append(time.monotonic() - began)
            check(received, aim)
    return Delays.of(found)


def at_half_load(fixed: Aim, streaming: Aim, per_s: float, seconds: float) -> tuple[Delays, Delays]:
    """Return the delays of whole answers, and to the first token, under both loads at once."""
    per_s = min(per_s, MOST_PER_S)
    return run(both(fixed, streaming, per_s, seconds))


async def both(fixed: Aim, streaming: Aim, per_s: float, seconds: float) -> tuple[Delays, Delays]:
    answers = Arrivals(fixed, fixed.request(BODY), whole)
    streams = Arrivals(streaming, streaming.request(body_for(SHORT)), has_token)
    streams_per_s = min(STREAMS_PER_S, per_s / 10)
    await asyncio.gather(answers.run(per_s, seconds), streams.run(streams_per_s, seconds))
    return Delays.of(answers.delays), Delays.of(streams.delays)


def has_token(received: bytes) -> bool:
    return STAMP.search(received) is not None


def check(received: bytes, aim: Aim) -> None:
    if not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{aim.url} answered {received[:300]!r}")


class Arrivals:
    """Requests at random moments of a given mean rate, each on a connection that is idle.

    answered: whether what came of an answer is what is waited for; the connection is idle again
    when the answer is whole.
    """

    def __init__(self, aim: Aim, request: bytes, answered: Callable[[bytes], bool]) -> None:
        self.aim, self.request, self.answered = aim, request, answered
        self.idle: deque[Line] = deque()
        self.waiting: deque[float] = deque()
        self.lines: list[Line] = []
        self.delays: list[float] = []
        self.opening: set[asyncio.Task[None]] = set()
        self.due, self.last, self.ended = 0, False, asyncio.Event()

    async def run(self, per_s: float, seconds: float) -> None:
        for _ in range(CONNECTIONS):
            await self.add()
        chance = random.Random(1)
        now = began = time.monotonic()
        due = began
        while due < began + seconds:
            while due <= now:
                self.send(due)
                due += chance.expovariate(per_s)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
        self.last = True
        if len(self.delays) < self.due:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), GRACE_S)
        for line in self.lines:
            line.transport.abort()
        late = self.due - len(self.delays)
        if late > max(FEW, self.due / 100):
            raise RuntimeError(f"{self.aim.url} left {late} of {self.due} requests unanswered")
        self.delays += [GRACE_S] * late  # at least

    def send(self, due: float) -> None:
        self.due += 1
        if self.idle:
            self.idle.popleft().ask(due)
            return
        self.waiting.append(due)
        if len(self.lines) + len(self.opening) < MOST_CONNECTIONS:
            task = asyncio.create_task(self.add())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    async def add(self) -> None:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(self), *self.aim.place)
        self.lines.append(line)
        self.free(line)

    def took(self, seconds: float) -> None:
        self.delays.append(seconds)
        if self.last and len(self.delays) == self.due:
            self.ended.set()

    def free(self, line: "Line") -> None:
        if self.waiting:
            line.ask(self.waiting.popleft())
        else:
            self.idle.append(line)


class Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.buffer = b""
        self.due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, due: float) -> None:
        self.due, self.buffer = due, b""
        self.transport.write(self.arrivals.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.due is not None and self.arrivals.answered(self.buffer):
            self.arrivals.took(time.monotonic() - self.due)
            self.due = None
        if whole(self.buffer):
            check(self.buffer, self.arrivals.aim)
            self.arrivals.free(self)

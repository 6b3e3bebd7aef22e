"""CPU per kept-alive request of the transport, bare, and of what else is importable.

    python -m benchmarks transport [--requests 20000] [--concurrency 64] [--loop uvloop]

The upstream runs in a process of its own and answers 1 KB of JSON from memory, over plain HTTP.
CPU is user and system time of the process that asks: steadier than throughput, and still up to
twice as much from run to run on a busy machine. Read ratios, not absolutes. The encoded head is
remembered while the headers stay the same; the second line has a header that changes each time.
"""

import argparse
import asyncio
import importlib.util
import multiprocessing
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

import uvloop

from providers.transport import Outgoing
from providers.transport.pool import HttpTransport
from providers.values import Timeouts

BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 200 + b'"}]}'
ANSWER = b'{"id":"1","choices":[{"message":{"content":"' + b"y" * 970 + b'"}}]}'
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nX-Request-Id: 1\r\nConnection: keep-alive\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
)
HEADERS = (
    ("authorization", "Bearer sk-benchmark"),
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("user-agent", "gatewayz"),
)

Ask = Callable[[], Awaitable[None]]
Client = Callable[[str], AbstractAsyncContextManager[Ask]]


class Upstream(asyncio.Protocol):
    """Answers each request once its small body is there."""

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        if self.received.endswith(BODY):
            self.received = b""
            self.transport.write(RESPONSE)


def serve(port) -> None:
    async def main():
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


@asynccontextmanager
async def transport(url: str, fresh_header: bool = False) -> AsyncIterator[Ask]:
    pool = HttpTransport()
    numbers = count()

    async def ask() -> None:
        headers = HEADERS
        if fresh_header:
            headers = (*HEADERS, ("x-request-id", str(next(numbers))))
        outgoing = Outgoing("POST", url, headers, BODY, Timeouts(), private_network=True)
        incoming = await pool.send(outgoing)
        size = 0
        while piece := await incoming.chunk():
            size += len(piece)
        incoming.close()
        assert size == len(ANSWER)

    yield ask
    pool.close()


def transport_fresh(url: str) -> AbstractAsyncContextManager[Ask]:
    return transport(url, fresh_header=True)


@asynccontextmanager
async def with_aiohttp(url: str) -> AsyncIterator[Ask]:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> None:
            async with session.post(url, data=BODY, headers=dict(HEADERS)) as response:
                assert len(await response.read()) == len(ANSWER)

        yield ask


@asynccontextmanager
async def with_httpx(url: str) -> AsyncIterator[Ask]:
    import httpx

    limits = httpx.Limits(max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits) as client:

        async def ask() -> None:
            response = await client.post(url, content=BODY, headers=dict(HEADERS))
            assert len(response.content) == len(ANSWER)

        yield ask


async def measure(client: Client, url: str, requests: int, tasks: int) -> float:
    """Return microseconds of CPU per request."""
    each = requests // tasks
    async with client(url) as ask:

        async def work(times: int) -> None:
            for _ in range(times):
                await ask()

        await asyncio.gather(*(work(5) for _ in range(tasks)))
        began = os.times()
        await asyncio.gather(*(work(each) for _ in range(tasks)))
        ended = os.times()
    return (ended.user + ended.system - began.user - began.system) / (each * tasks) * 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")


def run(args: argparse.Namespace) -> int:
    loop = uvloop.run if args.loop == "uvloop" else asyncio.run

    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{here.recv()}/v1/chat/completions"
    for name, client, share in CLIENTS:
        if name.startswith("transport") or importlib.util.find_spec(name):
            cost_us = loop(measure(client, url, args.requests // share, args.concurrency))
            print(f"{name:24} {cost_us:8.0f} us of CPU per request")
    process.terminate()
    return 0


# The slow ones get a share of the requests only.
CLIENTS: list[tuple[str, Client, int]] = [
    ("transport", transport, 1),
    ("transport, fresh header", transport_fresh, 1),
    ("aiohttp", with_aiohttp, 2),
    ("httpx", with_httpx, 10),
]

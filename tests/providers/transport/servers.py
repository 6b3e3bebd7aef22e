"""Raw servers on loopback, inside the test's own loop, and what the tests say to them."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache

import pytest
import trustme
import uvloop

from providers.transport import Incoming, Outgoing
from providers.values import Timeouts

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def on_both_loops(test):
    """Run an async test on asyncio's loop and on uvloop's; errors that only get logged count."""

    async def watched():
        errors = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with asyncio.timeout(20):
            await test()
        gc.collect()
        await asyncio.sleep(0)
        assert not errors, errors

    @pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS)
    def run(loop_factory):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(watched())

    run.__name__ = test.__name__
    return run


class Server:
    """`requests` are the bytes of each that was read; `opened` and `closed` count connections."""

    def __init__(self, handler: Handler) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.opened = self.closed = 0
        self._handler = handler

    async def handle(self, reader, writer) -> None:
        self.opened += 1
        try:
            await self._handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # asyncio's streams log a cancelled handler as an error.
        finally:
            self.closed += 1
            writer.transport.abort()

    async def read_request(self, reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        self.requests.append(head + await reader.readexactly(int(length or 0)))
        return self.requests[-1]


@asynccontextmanager
async def serving(make_handler, *, tls=None, host="127.0.0.1") -> AsyncIterator[Server]:
    """Serve with the handler that `make_handler(server)` returns, until the block ends."""
    server = Server(lambda reader, writer: handler(reader, writer))
    handler = make_handler(server)
    running: set[asyncio.Task] = set()

    async def handle(reader, writer):
        running.add(asyncio.current_task())
        await server.handle(reader, writer)

    listening = await asyncio.start_server(handle, host, 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server.url = f"{'https' if tls else 'http'}://{shown}:{port}/v1"
    try:
        yield server
    finally:
        listening.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def answering(*pieces: bytes, pause_s: float = 0.0, close: bool = False):
    """Answer each request with the pieces, `pause_s` after each."""

    def make_handler(server):
        async def handle(reader, writer):
            while True:
                await server.read_request(reader)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await pause(reader, pause_s)
                if close:
                    writer.close()
                    await writer.wait_closed()
                    return

        return handle

    return make_handler


async def pause(reader, seconds: float) -> None:
    """Sleep, unless the client leaves."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0:
        await asyncio.sleep(min(left, 0.02))
        if reader.at_eof():
            raise ConnectionResetError("the client left")


def post(url: str, *, body: bytes = b"{}", private_network: bool = True, **timeouts) -> Outgoing:
    headers = (("authorization", "Bearer sk-1"), ("content-type", "application/json"))
    return Outgoing("POST", url, headers, body, Timeouts(**timeouts), private_network)


async def read(incoming: Incoming) -> bytes:
    """Return the rest of the body."""
    pieces = []
    while piece := await incoming.chunk():
        pieces.append(piece)
    return b"".join(pieces)


async def until(condition: Callable[[], bool], within_s: float = 1.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110, what the tests wait for sets no event
            await asyncio.sleep(0.002)


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def client_tls() -> ssl.SSLContext:
    """Trusts the tests' authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context

"""HTTP/1.1 towards clients, byte by byte: an application in the test's own loop, raw sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
import uvloop
from uvicorn.server import ServerState

from gatewayz.messages import ON_LEAVE, Receive, Scope, Send
from gatewayz.protocol import Protocol

App = Callable[[Scope, Receive, Send], Awaitable[None]]
GET = b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n"


class Served:
    """A server of `app`, and what it was asked."""

    def __init__(self, app: App, keep_alive_s: int) -> None:
        self.app = app
        self.state = ServerState()
        options: dict[str, Any] = {"interface": "asgi3", "proxy_headers": False, "ws": "none"}
        self.config = uvicorn.Config(
            self._serve, timeout_keep_alive=keep_alive_s, log_config=None, **options
        )
        self.scopes: list[Scope] = []
        self.port = 0

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await self.app(scope, receive, send)

    def protocol(self) -> Protocol:
        return Protocol(self.config, self.state, {}, asyncio.get_running_loop())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, *requests: bytes) -> bytes:
        """Send, and return all that comes until the server closes or is quiet for a while."""
        reader, writer = await self.connect()
        for request in requests:
            writer.write(request)
            await asyncio.sleep(0.01)
        came = b""
        with suppress(TimeoutError):
            while piece := await asyncio.wait_for(reader.read(65536), 0.3):
                came += piece
        writer.close()
        return came


@asynccontextmanager
async def serving(app: App, keep_alive_s: int = 5) -> AsyncIterator[Served]:
    served = Served(app, keep_alive_s)
    served.config.load()
    server = await asyncio.get_running_loop().create_server(served.protocol, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()


def run(story: Callable[[], Awaitable[Any]]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(story(), 20))


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def whole(receive: Receive) -> bytes:
    pieces, more = b"", True
    while more:
        message = await receive()
        pieces, more = pieces + message["body"], message["more_body"]
    return pieces


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    said = scope["path"].encode() + b" " + await whole(receive)
    await send(start(200, (b"content-length", b"%d" % len(said))))
    await send(body(said))


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    for piece in (b"one", b"two"):
        await send(body(piece, more=True))
    await send(body(b""))


def answered(app: App, *requests: bytes) -> bytes:
    async def story() -> bytes:
        async with serving(app) as served:
            return await served.ask(*requests)

    came: bytes = run(story)
    return came


def test_one_connection_carries_request_after_request() -> None:
    came = answered(echo, GET % b"a", GET % b"b")
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert came.endswith(b"/b ")


def test_requests_sent_ahead_are_answered_in_order() -> None:
    came = answered(echo, b"".join(GET % name for name in (b"a", b"b", b"c")))
    assert [came.index(name) for name in (b"/a ", b"/b ", b"/c ")] == sorted(
        came.index(name) for name in (b"/a ", b"/b ", b"/c ")
    )
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 3


def test_a_body_comes_whole_however_it_was_cut() -> None:
    head = b"POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n"
    for cuts in ([head + b"abcdef"], [head, b"abc", b"def"], [head[:9], head[9:] + b"a", b"bcdef"]):
        assert answered(echo, *cuts).endswith(b"/p abcdef")
    chunked = b"POST /p HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    assert answered(echo, chunked, b"3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n").endswith(b"/p abcdef")


def test_a_large_body_is_read_and_written() -> None:
    size = 3_000_000
    head = b"POST /p HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
    assert answered(echo, head + b"x" * size).endswith(b"/p " + b"x" * size)


def test_an_answer_without_a_length_is_chunked() -> None:
    came = answered(counting, GET % b"")
    assert b"\r\ntransfer-encoding: chunked\r\n\r\n" in came
    assert came.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_an_old_client_gets_it_until_the_connection_closes() -> None:
    came = answered(counting, b"GET / HTTP/1.0\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in came
    assert b"chunked" not in came
    assert came.endswith(b"\r\n\r\nonetwo")


def test_a_head_request_gets_no_body() -> None:
    came = answered(echo, b"HEAD /abc HTTP/1.1\r\nhost: x\r\n\r\n", GET % b"next")
    assert b"content-length: 5\r\n\r\nHTTP/1.1 200 OK\r\n" in came


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    head = b"POST /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    came = answered(echo, head, b"ab")
    assert came.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_what_is_no_http_is_refused() -> None:
    assert answered(echo, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb"])
def test_no_header_begins_another_line(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def split(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, (b"x-model", value)))
        await send(body(b"ok"))

    came = answered(split, GET % b"")
    assert came.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"x-model" not in came
    assert "a header holds a line break" in caplog.text


@pytest.mark.parametrize("said", [b"2", b"9"])
def test_an_answer_of_another_length_than_it_says_is_cut(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def wrong(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-length", said)))
        await send(body(b"a", more=True))
        await send(body(b"bcd"))

    came = answered(wrong, GET % b"", GET % b"")
    assert came.count(b"HTTP/1.1") == 1
    assert came.endswith(b"\r\n\r\na")
    assert "not as long as its Content-Length says" in caplog.text


def test_a_failure_before_the_first_byte_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        raise ValueError("oh dear")

    came = answered(failing, GET % b"")
    assert came.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert came.endswith(b"\r\n\r\nInternal Server Error")
    assert "oh dear" in caplog.text


def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1.3)
        await counting(scope, receive, send)

    async def story() -> float:
        async with serving(slow, keep_alive_s=1) as served:
            reader, writer = await served.connect()
            for _ in range(2):
                writer.write(GET % b"")
                await reader.readuntil(b"0\r\n\r\n")
            began = asyncio.get_running_loop().time()
            assert await reader.read() == b""
            writer.close()
            return asyncio.get_running_loop().time() - began

    assert 0.9 < run(story) < 2.0


def test_who_leaves_is_told_of_once_and_only_before_the_end() -> None:
    told: list[str] = []

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][ON_LEAVE](lambda task: told.append(scope["path"]))
        if scope["path"] == "/stays":
            await echo(scope, receive, send)
        else:
            await receive()
            assert (await receive())["type"] == "http.disconnect"

    async def story() -> None:
        async with serving(waiting) as served:
            await served.ask(GET % b"stays")
            _, writer = await served.connect()
            writer.write(GET % b"leaves")
            await asyncio.sleep(0.05)
            writer.close()
            await asyncio.sleep(0.05)
            assert not served.state.connections
            assert not served.state.tasks

    run(story)
    assert told == ["/leaves"]


def test_a_server_that_stops_lets_an_answer_end_and_closes() -> None:
    async def story() -> bytes:
        gate = asyncio.Event()

        async def held(scope: Scope, receive: Receive, send: Send) -> None:
            await send(start())
            await send(body(b"one", more=True))
            await gate.wait()
            await send(body(b"two"))

        async with serving(held) as served:
            reader, writer = await served.connect()
            writer.write(GET % b"")
            came = await reader.readuntil(b"one\r\n")
            for connection in list(served.state.connections):
                connection.shutdown()
            gate.set()
            came += await reader.read()
            writer.close()
            return came

    assert run(story).endswith(b"3\r\ntwo\r\n0\r\n\r\n")

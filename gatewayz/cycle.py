"""One request and its answer on a client's connection, as ASGI sees them.

The head of an answer waits for the first piece of its body, so that both leave in one write.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gatewayz.messages import Application, Message, Scope

if TYPE_CHECKING:
    from gatewayz.protocol import Protocol

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
NO_BODY = (204, 304)
LARGE = 64 * 1024  # of a body that is not copied to stand behind its head
FAILED = {"status": 500, "headers": [(b"content-type", b"text/plain"), (b"content-length", b"21")]}
log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def size_line(size: int) -> bytes:
    return b"%x\r\n" % size


class Cycle:
    """`response_complete`: the answer was written. `keep_alive`: another request may follow."""

    __slots__ = (
        "_chunked",
        "_connection",
        "_due_bytes",
        "_has_body",
        "_has_news",
        "_head",
        "_leaving",
        "_more",
        "_pieces",
        "_size",
        "_waiter",
        "disconnected",
        "expects_continue",
        "keep_alive",
        "response_complete",
        "started",
        "task",
    )

    def __init__(self, connection: "Protocol", method: str, version: str) -> None:
        self.keep_alive = self.expects_continue = False
        self.started = self.response_complete = self.disconnected = False
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._more = True
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self._leaving: Callable[[asyncio.Task[None]], None] | None = None
        self._head: Message | None = None
        self._has_body = method != "HEAD"
        self._chunked = version != "1.0"
        self._due_bytes: int | None = None
        self.task: asyncio.Task[None] | None = None

    # What the connection tells.

    def take(self, body: bytes) -> int:
        """Take a piece of the request's body; return how much waits to be read."""
        if self.response_complete:
            return 0
        self._pieces.append(body)
        self._size += len(body)
        self.wake()
        return self._size

    def has_all(self) -> None:
        self._more = False
        self.wake()

    def leave(self) -> None:
        """The client is gone."""
        if self.response_complete or self.disconnected:
            return
        self.disconnected = True
        self.wake()
        if self._leaving is not None and self.task is not None:
            self._leaving(self.task)

    def wake(self) -> None:
        self._has_news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the application asks for.

    async def run(self, app: Application, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except BaseException:  # the border: what gets here is nobody's to handle
            log.exception("a request's handling failed")
        self._leaving = None
        connection = self._connection
        connection.tasks.discard(self.task)
        if not (self.started or self.disconnected):
            self._head, self.keep_alive = FAILED, False
            await self.send({"type": "http.response.body", "body": b"Internal Server Error"})
        elif not (self.response_complete or self.disconnected):
            connection.transport.close()

    def on_leave(self, callback: Callable[[asyncio.Task[None]], None]) -> None:
        """Call back with the request's task when the client leaves before its answer's end."""
        self._leaving = callback
        if self.disconnected and self.task is not None:
            callback(self.task)

    async def receive(self) -> Message:
        connection = self._connection
        if self.expects_continue:
            self.expects_continue = False
            connection.transport.write(CONTINUE)
        if not (self.disconnected or self.response_complete):
            connection.flow.resume_reading()
            while not self._has_news:
                self._waiter = connection.loop.create_future()
                await self._waiter
            self._has_news = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        pieces, self._pieces, self._size = self._pieces, [], 0
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return {"type": "http.request", "body": body, "more_body": self._more}

    async def send(self, message: Message) -> None:
        connection = self._connection
        if connection.flow.write_paused and not self.disconnected:
            await connection.flow.drain()
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError("the answer is complete, there can be no more of it")
        if message["type"] == "http.response.start":
            self._head = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        head, self._head = self._head, None
        begun = b"" if head is None else self._begun(head)
        framed = self._framed(body, more)
        if begun and len(framed) > LARGE:
            connection.transport.write(begun)
            begun = b""
        if begun or framed:
            connection.transport.write(begun + framed)
        if not more:
            self._end()

    # How an answer is written.

    def _begun(self, head: Message) -> bytes:
        """Return the head's bytes; RuntimeError if a header would begin another line."""
        self.expects_continue = False
        headers = [*self._connection.server_state.default_headers, *head["headers"]]
        closes = False
        for name, value in head["headers"]:
            if len(name) == 14 and name.lower() == b"content-length":
                self._chunked, self._due_bytes = False, int(value)
            elif len(name) == 10 and name.lower() == b"connection":
                closes = value.lower().find(b"close") >= 0
        self._has_body = self._has_body and head["status"] not in NO_BODY
        self._chunked = self._chunked and self._has_body
        if not (self.keep_alive or closes):
            headers.append((b"connection", b"close"))
        self.keep_alive = self.keep_alive and not closes
        if self._chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        lines = [STATUS_LINE[head["status"]]]
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n")
        data = b"".join(lines)
        if not data.count(b"\n") == data.count(b"\r") == len(headers) + 2:
            raise RuntimeError("a header holds a line break")
        self.started = True
        return data

    def _framed(self, body: bytes, more: bool) -> bytes:
        if not self._has_body:
            return b""
        if self._chunked:
            framed = b"".join((size_line(len(body)), body, b"\r\n")) if body else b""
            return framed if more else framed + LAST_CHUNK
        if self._due_bytes is not None:
            self._due_bytes -= len(body)
            if self._due_bytes < 0 or not (more or self._due_bytes == 0):
                raise RuntimeError("the answer is not as long as its Content-Length says")
        return body

    def _end(self) -> None:
        self.response_complete = True
        self.wake()
        connection = self._connection
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()

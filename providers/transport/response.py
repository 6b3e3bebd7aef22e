"""A response as it comes in: what the parser calls, and what the caller reads."""

import asyncio
import zlib
from asyncio import Future
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from providers.transport import (
    ConnectionLost,
    IdleTimeout,
    ProtocolBroken,
    TransportError,
)
from providers.transport.inflating import Inflater

if TYPE_CHECKING:
    from providers.transport.connection import Connection

MOST_HEAD_BYTES = 64 * 1024


class Response:
    """An Incoming. The connection's parser fills it by the `on_…` methods; `fail` ends it early.

    `arrived`: the head is there. `complete`: so is the body's end. `reusable`: after this response
    the connection may carry another exchange.
    """

    __slots__ = (
        "_connection",
        "_failure",
        "_fields",
        "_idle_s",
        "_inflater",
        "_pieces",
        "_until_closed",
        "_waiter",
        "arrived",
        "complete",
        "paused",
        "queued_bytes",
        "reusable",
        "status",
    )

    def __init__(self, connection: "Connection", idle_s: float) -> None:
        self.status = 0
        self._fields: dict[bytes, bytes] = {}
        self.arrived = self.complete = self.reusable = self.paused = False
        self.queued_bytes = 0
        self._connection = connection
        self._idle_s = idle_s
        self._pieces: list[bytes] = []
        self._until_closed = False
        self._failure: TransportError | None = None
        self._inflater: Inflater | None = None
        self._waiter: Future[None] | None = None

    # What the caller reads.

    @property
    def headers(self) -> dict[str, str]:
        """Make them anew: few are ever read."""
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self._fields.items()
        }

    def header(self, name: bytes) -> bytes:
        return self._fields.get(name, b"")

    async def head(self) -> "Response":
        """Return this response once its head has arrived; raises MaybeSent.

        Who is cancelled here cuts the connection; who is cancelled later has the response, and may
        read on or close it.
        """
        try:
            while not self.arrived:
                if self._failure is not None:
                    raise self._failure
                await self._news()
        except asyncio.CancelledError:
            self.close()
            raise
        return self

    def chunk(self) -> Coroutine[Any, Any, bytes]:
        return self._received() if self._inflater is None else self._inflated(self._inflater)

    def close(self) -> None:
        if not self.complete and self._failure is None:
            self._connection.fail(ConnectionLost("closed here before the response's end"))

    async def _received(self) -> bytes:
        """Return all that is queued, as it came; waits only if that is nothing."""
        while not self._pieces:
            if self.complete:
                return b""
            if self._failure is not None:
                raise self._failure
            self._connection.limit(self._idle_s, IdleTimeout)
            await self._news()
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self.queued_bytes = 0
        if self.paused:
            self.paused = False
            self._connection.resume_reading()
        return data

    async def _inflated(self, inflater: Inflater) -> bytes:
        try:
            while not (data := inflater.take()):
                piece = await self._received()
                if not piece:
                    break
                inflater.feed(piece)
        except zlib.error as exc:
            self.close()
            raise ProtocolBroken(f"the body is not what its encoding says: {exc}") from exc
        if not data and not inflater.finished:
            raise ProtocolBroken("the compressed body ends too early")
        return data

    async def _news(self) -> None:
        """Sleep until something arrived or failed."""
        self._waiter = self._connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # What the connection tells.

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, error: TransportError) -> None:
        """End it: what is queued can still be read, then the first `error` is raised."""
        if not self.complete and self._failure is None:
            self._failure = error
            self.wake()

    def end_of_input(self, cause: Exception | None) -> None:
        """The connection is closed: the end of a body that has no other mark, a loss otherwise."""
        if self._until_closed and cause is None:
            self.complete = True
            self.wake()
        else:
            when = "in the middle of the response" if self.arrived else "before the response"
            self.fail(ConnectionLost(f"closed by the provider {when}: {cause or 'end of file'}"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("bytes after the end of the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers come after the head was handed over; they are not part of it.
        if not self.arrived:
            self._fields[name.lower()] = value

    def on_headers_complete(self) -> None:
        status, keep_alive, received_bytes = self._connection.parsed_head()
        if status < 200:
            self._fields.clear()
            return
        # A short head may have come in one read with much body.
        if received_bytes > MOST_HEAD_BYTES and self._head_bytes() > MOST_HEAD_BYTES:
            raise ValueError("a head too long")
        self.status = status
        self.arrived = True
        self.reusable = keep_alive
        fields = self._fields
        if not keep_alive and b"content-length" not in fields:
            coding = fields.get(b"transfer-encoding", b"").strip().lower()
            self._until_closed = not coding.endswith(b"chunked")
        if b"content-encoding" in fields:
            encoding = fields[b"content-encoding"].decode("latin-1").strip().lower()
            if Inflater.knows(encoding):
                self._inflater = Inflater(encoding)

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self.queued_bytes += len(data)

    def on_message_complete(self) -> None:
        if self.arrived:
            self.complete = True

    def _head_bytes(self) -> int:
        return sum(len(name) + len(value) + 4 for name, value in self._fields.items())

"""One socket to a provider: writes a request, has its response parsed, keeps its deadlines."""

import asyncio
import math
import re
import select
import socket
from collections.abc import Hashable
from functools import lru_cache
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from providers.transport import (
    FirstByteTimeout,
    ProtocolBroken,
    TotalTimeout,
    TransportError,
)
from providers.transport.response import MOST_HEAD_BYTES, Response
from providers.values import Timeouts

READ_AHEAD_BYTES = 256 * 1024
KERNEL_BYTES = 512 * 1024  # which the kernel doubles for its own needs

# uvloop's clock counts whole milliseconds: a timer may ring this much too early.
_CLOCK_STEP_S = 0.001

_KEEP_ALIVE_TIMEOUT = re.compile(rb"timeout=(\d{1,6})", re.IGNORECASE)


class Keeper(Protocol):
    """Who owns connections."""

    def take_back(self, connection: "Connection") -> None:
        """An exchange ended well, another may follow."""

    def forget(self, connection: "Connection") -> None:
        """The connection is closed."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. `key` is its keeper's.

    One timer serves all deadlines, lazily: it rings no later than the nearest one and looks then
    what is due, so that a request on a kept-alive connection usually sets none.
    """

    __slots__ = (
        "_aborted",
        "_deadline",
        "_first_byte_s",
        "_idle_s",
        "_keeper",
        "_overdue",
        "_overhead_bytes",
        "_parser",
        "_poll",
        "_response",
        "_timer",
        "_timer_at",
        "_total_at",
        "_transport",
        "_uploading",
        "key",
        "loop",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, keeper: Keeper, key: Hashable, idle_s: float
    ) -> None:
        self.loop = loop
        self.key = key
        self._keeper = keeper
        self._idle_s = idle_s
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._parser: HttpResponseParser | None = None
        self._response: Response | None = None
        self._aborted = self._uploading = False
        self._overhead_bytes = 0
        self._first_byte_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._deadline = self._total_at = math.inf
        self._overdue: type[TransportError] | None = None

    # What the keeper and the response ask for.

    async def exchange(self, request: bytes, timeouts: Timeouts, total_at: float) -> Response:
        """Write the request, return the response once its head is there; raises MaybeSent.

        From the write on, a close without any answer is ConnectionLost: nobody can tell a
        provider that never read the request from one that did and died.
        """
        assert self._transport is not None
        assert self._response is None
        response = self._response = Response(self, timeouts.idle_s)
        self._parser = HttpResponseParser(response)
        self._overhead_bytes = 0
        self._total_at = total_at
        self._first_byte_s = timeouts.first_byte_s
        self._transport.write(request)
        self.limit(math.inf if self._uploading else self._first_byte_s, FirstByteTimeout)
        return await response.head()

    def is_open(self) -> bool:
        transport = self._transport
        return transport is not None and not (self._aborted or transport.is_closing())

    def is_quiet(self) -> bool:
        """Whether an idle connection is open and the kernel holds neither bytes nor an end for it.

        The loop may be late in telling, and a request written now could no longer be sent anew.
        """
        return self.is_open() and not self._poll.poll(0)

    def fail(self, error: TransportError) -> None:
        """Cut the connection; its response, if any, ends with `error`."""
        response, self._response = self._response, None
        if response is not None:
            response.fail(error)
        self.abort()

    def abort(self) -> None:
        """Cut the connection, also one that is yet to be made."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """Cut a connection whose opening failed or was cancelled.

        Then connection_lost may never be called: uvloop closes such a transport silently.
        """
        self.abort()
        self._keeper.forget(self)

    def limit(self, seconds: float, overdue: type[TransportError] | None) -> None:
        """Allow so much from now until the next event, and no more than the whole request has."""
        at = self.loop.time() + seconds
        if at >= self._total_at:
            at, overdue = self._total_at, TotalTimeout
        self._deadline, self._overdue = at, overdue
        if at < self._timer_at:
            self._set_timer(at)

    def parsed_head(self) -> tuple[int, bool, int]:
        """Return status, keep-alive and the bytes that came so far, the head among them."""
        parser = self._parser
        assert parser is not None
        return parser.get_status_code(), parser.should_keep_alive(), self._overhead_bytes

    def resume_reading(self) -> None:
        if self.is_open():
            cast(asyncio.Transport, self._transport).resume_reading()

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._aborted:
            self._transport.abort()
            return
        # So that pause_writing and resume_writing tell when a request is out.
        self._transport.set_write_buffer_limits(high=1, low=0)
        sock = transport.get_extra_info("socket")
        self._poll.register(sock.fileno(), select.POLLIN)

    def pause_writing(self) -> None:
        self._uploading = True

    def resume_writing(self) -> None:
        self._uploading = False
        if self._response is not None and not self._response.arrived:
            self.limit(self._first_byte_s, FirstByteTimeout)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None or self._parser is None:
            self.abort()  # Nobody asked for this.
            return
        queued_bytes, arrived = response.queued_bytes, response.arrived
        self._overhead_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as exc:
            response.reusable = False
            if not response.complete:
                self.fail(ProtocolBroken(f"not HTTP: {exc.__context__ or exc}"))
                return
        if response.queued_bytes > queued_bytes or response.arrived > arrived:
            self._overhead_bytes = 0
        elif self._overhead_bytes > MOST_HEAD_BYTES and not response.complete:
            self.fail(ProtocolBroken("a head or trailer too long"))
            return
        if response.arrived:
            self._pass_on(response)

    def eof_received(self) -> None:
        self._end(None)
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._aborted = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end(exc)
        self._keeper.forget(self)

    # What follows from it.

    def _pass_on(self, response: Response) -> None:
        if response.complete:
            self._finish(response)
        else:
            self._deadline, self._overdue = self._total_at, TotalTimeout
            if response.queued_bytes > READ_AHEAD_BYTES and not response.paused:
                response.paused = True
                self._pause_reading()
        response.wake()

    def _pause_reading(self) -> None:
        """Stop reading, and the kernel from holding ever more for us: its limit may be 32 MB."""
        transport = cast(asyncio.Transport, self._transport)
        transport.pause_reading()
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)

    def _finish(self, response: Response) -> None:
        """Hand the connection back, unless something of this exchange may still be under way."""
        self._response = self._parser = None
        self._total_at = math.inf
        idle_s = min(self._idle_s, _keep_alive_s(response.header(b"keep-alive")))
        clean = response.reusable and not (response.paused or self._uploading)
        if clean and idle_s > 0 and self.is_open():
            self.limit(idle_s, None)
            self._keeper.take_back(self)
        else:
            self.abort()

    def _end(self, cause: Exception | None) -> None:
        response, self._response = self._response, None
        self._parser = None
        if response is not None:
            response.end_of_input(cause)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = None if self._aborted else self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._deadline > self.loop.time() + _CLOCK_STEP_S:
            self._set_timer(self._deadline)
        elif self._overdue is None:
            self.abort()
        else:
            self.fail(self._overdue("the provider took too long"))


@lru_cache(maxsize=64)
def _keep_alive_s(header: bytes) -> float:
    """Return how long the provider keeps an idle connection, less a second of travel."""
    found = _KEEP_ALIVE_TIMEOUT.search(header)
    return float(found[1]) - 1 if found else math.inf

"""A provider's stream, opened and read a piece at a time."""

import time
from collections.abc import Callable

from providers.adapters.answers import Broken, Reader
from providers.failures import UNREADABLE, Failure
from providers.transport import Incoming

PATIENCE_S = 5.0


class UpstreamStream:
    """`open` waits for the first event, so that until then another route may still be tried.
    A failure that comes in one piece with text is told after that text.

    Comments that keep the connection alive are held back meanwhile; when they come for longer
    than PATIENCE_S they are let through, and with them goes the choice of another route.
    """

    __slots__ = ("_first", "_incoming", "failure", "on_close", "reader")

    def __init__(self, incoming: Incoming, reader: Reader) -> None:
        self.reader = reader
        self.failure: Failure | None = None
        self.on_close: Callable[[UpstreamStream], None] | None = None
        self._incoming = incoming
        self._first = b""

    async def open(self) -> None:
        """Read up to the first event; raises MaybeSent. `failure` is set if it is no good."""
        patient_until = time.monotonic() + PATIENCE_S
        while not (self.reader.started or self.failure or self.reader.finished):
            self._first += self._given(await self._incoming.chunk())
            if self._first and time.monotonic() > patient_until:
                return

    async def chunk(self) -> bytes:
        """Return the next piece for the client, b"" at the end; raises MaybeSent."""
        given, self._first = self._first, b""
        while not (given or self.reader.finished or self.failure):
            given = self._given(await self._incoming.chunk())
        return given

    def _given(self, piece: bytes) -> bytes:
        """Return what a piece of the provider's, b"" for its end, is for the client."""
        try:
            given = self.reader.feed(piece) if piece else self.reader.finish()
        except Broken:
            self.failure = UNREADABLE
            return b""
        self.failure = self.reader.failure
        return given

    async def drain(self) -> None:
        """Read to the end and forget it, so that `close` can keep the connection."""
        while await self._incoming.chunk():
            pass

    @property
    def complete(self) -> bool:
        return self.reader.finished and self.failure is None

    def close(self) -> None:
        """Let go of the connection. Safe to repeat."""
        self._incoming.close()
        closed, self.on_close = self.on_close, None
        if closed is not None:
            closed(self)

"""Streams in every shape that the wire allows, and a few that it does not."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.upstreams.chat import DONE, Chat, event
from tests.upstreams.seen import Seen
from tests.upstreams.wire import SSE, Wire

Cut = Callable[[Sequence[bytes]], list[bytes]]

OPENROUTER_COMMENT = b": OPENROUTER PROCESSING\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def by_event(events: Sequence[bytes]) -> list[bytes]:
    return list(events)


def together(events: Sequence[bytes]) -> list[bytes]:
    """All events in one packet."""
    return [b"".join(events)]


def every(count: int) -> Cut:
    """`count` bytes at a time, whatever they are in the middle of."""

    def cut(events: Sequence[bytes]) -> list[bytes]:
        whole = b"".join(events)
        return [whole[start : start + count] for start in range(0, len(whole), count)]

    return cut


def at(*offsets: int) -> Cut:
    """Cut the whole stream at these byte offsets."""

    def cut(events: Sequence[bytes]) -> list[bytes]:
        whole = b"".join(events)
        edges = [0, *sorted(offset for offset in offsets if offset < len(whole)), len(whole)]
        return [whole[start:end] for start, end in pairwise(edges)]

    return cut


@dataclass(frozen=True)
class Stream:
    """`chat`, streamed oddly; a request that asks for no stream gets `chat`'s plain answer.

    cut: how the bytes fall into packets, `gap_s` apart.
    newline: b"\\r\\n" or b"\\r" instead of b"\\n".
    comment: sent before every event; for `comments_only_s` seconds first, nothing else is.
    stop_after: only so many events are sent; None for all.
    error: an event sent after those, in place of the rest.
    done: whether [DONE] is sent.
    then: "end", "cut" (connection closed in the middle), "reset" or "silence" (for ever).
    """

    chat: Chat = field(default_factory=Chat)
    cut: Cut = by_event
    gap_s: float = 0.0
    newline: bytes = b"\n"
    comment: bytes = b""
    comments_only_s: float = 0.0
    stop_after: int | None = None
    error: Mapping[str, Any] | None = None
    done: bool = True
    then: str = "end"

    async def answer(self, seen: Seen, wire: Wire) -> None:
        if not seen.fields.get("stream"):
            return await self.chat.answer(seen, wire)
        await wire.head(200, {**SSE, **self.chat.headers})
        await self.keep_alive(wire)
        for piece in self.cut(self.events(seen)):
            await wire.piece(piece)
            await asyncio.sleep(self.gap_s)
        return await finish(self.then, wire)

    def events(self, seen: Seen) -> list[bytes]:
        events = self.chat.events(seen)[: self.stop_after]
        if self.error is not None:
            events.append(event(self.error))
        elif self.done and self.stop_after is None:
            events.append(DONE)
        return [(self.comment + data).replace(b"\n", self.newline) for data in events]

    async def keep_alive(self, wire: Wire) -> None:
        until = time.monotonic() + self.comments_only_s
        while time.monotonic() < until:
            await wire.piece(self.comment or KEEP_ALIVE)
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Sse:
    """Exactly these bytes as the stream, one packet each, asked for or not."""

    pieces: Sequence[bytes]
    gap_s: float = 0.0
    then: str = "end"

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.head(200, SSE)
        for piece in self.pieces:
            await wire.piece(piece)
            await asyncio.sleep(self.gap_s)
        await finish(self.then, wire)


@dataclass(frozen=True)
class Flood:
    """Events of `size` bytes as fast as the client takes them; `seen.bytes_written` counts.

    It ends after `total` bytes, or never.
    """

    size: int = 64 * 1024
    total: int | None = None

    async def answer(self, seen: Seen, wire: Wire) -> None:
        sock = wire.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        await wire.head(200, SSE)
        chunk = Chat("x" * self.size).events(seen)[1]
        while self.total is None or seen.bytes_written < self.total:
            await wire.piece(chunk)
        await wire.piece(DONE)
        await wire.end()


async def finish(how: str, wire: Wire) -> None:
    """End an answer that has begun: "end", "cut", "reset" or "silence"."""
    if how == "silence":
        await asyncio.Event().wait()
    if how == "reset":
        await asyncio.sleep(0.05)  # a reset also destroys what the client has not read yet
    await {"end": wire.end, "cut": wire.cut, "reset": wire.reset}[how]()

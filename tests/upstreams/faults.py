"""Ways to fail that are not an error answer."""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat
from tests.upstreams.seen import Seen
from tests.upstreams.wire import Wire

JSON = {"content-type": "application/json"}
UNRESOLVABLE = "http://upstream.invalid/v1"
PAGE = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"


@contextmanager
def refused() -> Iterator[str]:
    """Yield the URL of a port that refuses connections, and keep it so meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


@dataclass(frozen=True)
class Hang:
    """Reads the request and says nothing, for ever or for `seconds` before `then` answers."""

    seconds: float | None = None
    then: Behaviour = field(default_factory=Chat)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        if self.seconds is None:
            await asyncio.Event().wait()
        await asyncio.sleep(self.seconds or 0)
        await self.then.answer(seen, wire)


@dataclass(frozen=True)
class Close:
    """Reads the request and closes the connection."""

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.cut()


@dataclass(frozen=True)
class Reset:
    """Reads the request and resets the connection."""

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.reset()


@dataclass(frozen=True)
class Garbage:
    """Answers with bytes that are no HTTP."""

    data: bytes = b"\x16\x03\x01 this is not HTTP\r\n\r\n"

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.raw(self.data)
        await wire.cut()


@dataclass(frozen=True)
class Truncated:
    """Answers a chat's JSON up to its `keep`-th byte.

    short: the Content-Length promises the whole and the connection closes early; otherwise it
        tells the length of what is sent.
    """

    short: bool = False
    keep: int = 60
    chat: Chat = field(default_factory=Chat)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        whole = json.dumps(self.chat.completion(seen)).encode()
        await wire.head(200, JSON, len(whole) if self.short else self.keep)
        await wire.piece(whole[: self.keep])
        await (wire.cut() if self.short else wire.end())


@dataclass(frozen=True)
class Html:
    """Answers a web page where JSON was due."""

    status: int = 502
    page: str = PAGE

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.answer(self.status, {"content-type": "text/html"}, self.page.encode())


@dataclass(frozen=True)
class Redirect:
    location: str
    status: int = 302

    async def answer(self, seen: Seen, wire: Wire) -> None:
        await wire.answer(self.status, {"location": self.location}, b"")


@dataclass(frozen=True)
class Huge:
    """Answers a JSON body of `size` bytes and more, as one long string; `length` tells it ahead."""

    size: int = 64 * 2**20
    length: bool = True

    async def answer(self, seen: Seen, wire: Wire) -> None:
        before, after = json.dumps(Chat("\0").completion(seen)).encode().split(rb"\u0000")
        total = len(before) + self.size + len(after)
        await wire.head(200, JSON, total if self.length else None)
        await wire.piece(before)
        for start in range(0, self.size, 2**18):
            await wire.piece(b"x" * min(2**18, self.size - start))
        await wire.piece(after)
        await wire.end()


@dataclass(frozen=True)
class Slow:
    """Answers a chat's JSON `count` bytes at a time, `gap_s` apart; `blank` goes before it.

    DeepSeek sends empty lines before the JSON while a request is queued.
    """

    count: int = 32
    gap_s: float = 0.01
    blank: bytes = b""
    chat: Chat = field(default_factory=Chat)
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        whole = self.blank + json.dumps(self.chat.completion(seen)).encode()
        await wire.head(200, self.headers, len(whole))
        for start in range(0, len(whole), self.count):
            await wire.piece(whole[start : start + self.count])
            await asyncio.sleep(self.gap_s)
        await wire.end()

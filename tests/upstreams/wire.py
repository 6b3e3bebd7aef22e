"""HTTP/1.1 by hand, so that a server can break it at any byte."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from tests.upstreams.seen import Seen

SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
NONE: Mapping[str, str] = MappingProxyType({})


async def read_request(reader: asyncio.StreamReader) -> Seen | None:
    """Return the connection's next request, or None when the client has no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ", 2)
    named = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    return Seen(method, path, headers, await read_body(reader, headers))


async def read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


class Wire:
    """The way back to the client of one request; notes in `seen` what went out."""

    def __init__(self, writer: asyncio.StreamWriter, seen: Seen) -> None:
        self.writer = writer
        self.seen = seen
        self.keep_alive = seen.headers.get("connection", "").lower() != "close"
        self.over = False
        self.chunked = False

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are; returns once the socket has room for more."""
        self.writer.write(data)
        await self.writer.drain()
        self.seen.bytes_written += len(data)

    async def head(
        self, status: int, headers: Mapping[str, str], length: int | None = None
    ) -> None:
        """Start an answer: of `length` bytes, or, without one, in chunks."""
        self.chunked = length is None
        frame = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        lines = [f"HTTP/1.1 {status} {phrase(status)}", frame]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def piece(self, data: bytes) -> None:
        """Write a part of the body, by itself, in its own chunk when the body is chunked."""
        self.seen.sent_at.append(time.monotonic())
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    async def end(self) -> None:
        if self.chunked:
            await self.raw(b"0\r\n\r\n")
        self.over = True

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        await self.head(status, headers, len(body))
        await self.piece(body)
        await self.end()

    async def json(self, value: Any, status: int = 200, headers: Mapping[str, str] = NONE) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        await self.answer(status, {"content-type": "application/json", **headers}, body)

    async def cut(self) -> None:
        """Close the connection after what was written, whatever had been promised."""
        self.keep_alive, self.over = False, True
        self.writer.close()

    async def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.keep_alive, self.over = False, True
        self.writer.transport.abort()


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

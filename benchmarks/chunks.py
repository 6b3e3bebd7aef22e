"""A streaming upstream that spends little: a protocol, no parser, chunks made once.

It takes a request to end with its body's last byte and to have a Content-Length. A model named
`stream-CHUNKS-GAP_MS` says how long the stream is and how far apart its chunks are.
"""

import argparse
import asyncio
import json
import re
import time
from functools import lru_cache
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
SHAPE = re.compile(rb"stream-(\d+)-(\d+)")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: object) -> bytes:
    return framed(b"data: " + json.dumps(data).encode() + b"\n\n")


def chunk(content: str, **rest: object) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    fixed = {"id": "chatcmpl-benchmark", "object": "chat.completion.chunk", "created": 1700000000}
    return {**fixed, "model": "bench", "choices": [choice], **rest}


# The content is the time of leaving, in seconds of the monotonic clock, always as wide.
STAMPED = event(chunk("0" * 20)).replace(b"0" * 20, b"%020.6f")


@lru_cache
def last(chunks: int) -> bytes:
    usage = {"prompt_tokens": 9, "completion_tokens": chunks, "total_tokens": 9 + chunks}
    told = event(chunk("", choices=[], usage=usage))
    return told + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Streamer(asyncio.Protocol):
    """Answers each request with `chunks` events, `gap_s` apart, then usage and [DONE]."""

    def __init__(self, chunks: int, gap_s: float) -> None:
        self.chunks, self.gap_s = chunks, gap_s
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self.loop = asyncio.get_running_loop()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if end and len(body) >= int(length[1] if length else 0):
            self.buffer = b""
            if shape := SHAPE.search(body):
                self.chunks, self.gap_s = int(shape[1]), int(shape[2]) / 1000
            self.transport.write(HEAD)
            self.tick(0, self.loop.time())

    def tick(self, count: int, due: float) -> None:
        """Send chunk `count`, and plan the next from when this one was due: no drift."""
        if count == self.chunks:
            self.transport.write(last(count))
            return
        self.transport.write(STAMPED % time.monotonic())
        due += self.gap_s
        self.timer = self.loop.call_at(due, self.tick, count + 1, due)


async def serve(port: int, chunks: int, gap_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Streamer(chunks, gap_s), "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9102)
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--gap-ms", type=float, default=20)
    given = parser.parse_args()
    serving = serve(given.port, given.chunks, given.gap_ms / 1000)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serving)


if __name__ == "__main__":
    main()

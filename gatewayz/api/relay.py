"""A provider's stream on its way to the client."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from django.http import StreamingHttpResponse

from gatewayz.api.exchange import CLIENT_GONE, Exchange
from gatewayz.api.problems import body_of
from providers.attempts import unreachable
from providers.dispatch import final
from providers.failures import Failure
from providers.streams import UpstreamStream
from providers.transport import TransportError

END_WAIT_S = 0.05
LEFT_S, LEFT_BYTES = 0.5, 64 * 1024  # of a stream whose client has left, for its usage
leaving: set[asyncio.Task[None]] = set()


class RelayResponse(StreamingHttpResponse):
    """Whoever sends it calls `release` in the end, whether all of it was sent or not.

    `pieces` are what iterating gives, without Django's two generators around each.
    """

    def __init__(self, exchange: Exchange, stream: UpstreamStream) -> None:
        self.pieces = relay(exchange, stream)
        super().__init__(self.pieces, content_type="text/event-stream")
        self._exchange = exchange
        self._stream = stream
        self._released = False

    def release(self) -> None:
        if self._exchange.over:
            self._stream.close()
            return
        if self._released:
            return
        self._released = True
        task = asyncio.get_running_loop().create_task(left(self._exchange, self._stream))
        leaving.add(task)
        task.add_done_callback(leaving.discard)

    def close(self) -> None:
        self.release()
        super().close()


async def relay(exchange: Exchange, stream: UpstreamStream) -> AsyncIterator[bytes]:
    """Yield the pieces as they come. The end is recorded before the last piece is given."""
    while True:
        try:
            piece = await stream.chunk()
        except TransportError as problem:
            piece, stream.failure = b"", unreachable(problem)
        if stream.failure is not None:
            piece = failed(exchange, stream.failure, piece)
            await exchange.returned()
            yield piece
            return
        if stream.reader.finished or not piece:
            exchange.end("answered")
            await exchange.returned()
            yield piece
            await drained(stream)
            return
        yield piece


def failed(exchange: Exchange, failure: Failure, piece: bytes) -> bytes:
    """Record a stream that broke off, and return its last event."""
    exchange.reply.attempts[-1].broke_off(failure)
    problem = final(exchange.reply, failure)
    exchange.end("failed", 200, problem.code)
    return piece + b"data: " + msgspec.json.encode(body_of(problem, exchange.request_id)) + b"\n\n"


async def left(exchange: Exchange, stream: UpstreamStream) -> None:
    """Charge what a client used that has left: as the provider counts it, if it is about to."""
    size = 0
    try:
        async with asyncio.timeout(LEFT_S):
            while size < LEFT_BYTES and stream.reader.usage is None:
                if not (piece := await stream.chunk()):
                    break
                size += len(piece)
    except (TimeoutError, TransportError):
        pass
    finally:
        stream.close()
        exchange.end("cancelled", CLIENT_GONE)


async def drained(stream: UpstreamStream) -> None:
    """Wait a moment for the connection's end of the answer, so that it can be used again."""
    try:
        async with asyncio.timeout(END_WAIT_S):
            await stream.drain()
    except (TimeoutError, TransportError):
        return

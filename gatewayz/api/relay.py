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


class Relayed:
    """An answer in pieces. Whoever sends it calls `release` in the end, all of it sent or not."""

    __slots__ = ("_exchange", "_stream", "headers", "pieces")
    status = 200

    def __init__(self, exchange: Exchange, stream: UpstreamStream) -> None:
        exchange.opened()
        self.headers = {"Content-Type": "text/event-stream"}
        self.pieces = relay(exchange, stream)
        self._exchange = exchange
        self._stream = stream

    def release(self) -> None:
        self._stream.close()
        self._exchange.end("cancelled", CLIENT_GONE)

    def for_django(self) -> StreamingHttpResponse:
        return StreamingHttpResponse(self.pieces, headers=self.headers)


async def relay(exchange: Exchange, stream: UpstreamStream) -> AsyncIterator[bytes]:
    """Yield the pieces as they come. The end is recorded before the last piece is given."""
    while True:
        try:
            piece = await stream.chunk()
        except TransportError as problem:
            piece, stream.failure = b"", unreachable(problem)
        if stream.failure is not None:
            yield failed(exchange, stream.failure, piece)
            return
        if stream.reader.finished or not piece:
            exchange.end("answered")
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


async def drained(stream: UpstreamStream) -> None:
    """Wait a moment for the connection's end of the answer, so that it can be used again."""
    try:
        async with asyncio.timeout(END_WAIT_S):
            await stream.drain()
    except (TimeoutError, TransportError):
        return

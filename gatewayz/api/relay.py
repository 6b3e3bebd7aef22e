"""A provider's stream on its way to the client."""

import asyncio

import msgspec

from gatewayz.api.exchange import CLIENT_GONE, Exchange
from gatewayz.api.problems import body_of
from gatewayz.messages import Message, Send
from providers.attempts import unreachable
from providers.dispatch import final
from providers.failures import Failure
from providers.streams import UpstreamStream
from providers.transport import TransportError

END_WAIT_S = 0.05
LEFT_S, LEFT_BYTES = 0.5, 64 * 1024  # of a stream whose client has left, for its usage
leaving: set[asyncio.Task[None]] = set()


class Relayed:
    """An answer that `relay` sends. Then, whatever came of that, `release` is called."""

    __slots__ = ("_exchange", "_released", "_stream", "headers")
    status = 200

    def __init__(self, exchange: Exchange, stream: UpstreamStream) -> None:
        self.headers = {"Content-Type": "text/event-stream"}
        self._exchange = exchange
        self._stream = stream
        self._released = False

    async def relay(self, send: Send) -> None:
        """Send the pieces as they come. The end is recorded before the last piece is sent."""
        exchange, stream = self._exchange, self._stream
        while True:
            try:
                piece = await stream.chunk()
            except TransportError as problem:
                piece, stream.failure = b"", unreachable(problem)
            if stream.failure is not None:
                piece = failed(exchange, stream.failure, piece)
                await exchange.returned()
                return await send(part(piece))
            if stream.reader.finished or not piece:
                break
            await send(part(piece))
        exchange.end("answered")
        await exchange.returned()
        await send(part(piece))
        return await drained(stream)

    def release(self) -> None:
        if self._exchange.over:
            self._stream.close()
        elif not self._released:
            self._released = True
            task = asyncio.get_running_loop().create_task(left(self._exchange, self._stream))
            leaving.add(task)
            task.add_done_callback(leaving.discard)


def part(piece: bytes) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": True}


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

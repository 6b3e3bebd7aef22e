"""One attempt at one route: send, read, judge."""

import time
from dataclasses import dataclass, replace

from providers.adapters.answers import Adapter, Answer, Broken, Fields
from providers.envelopes import read_failure
from providers.failures import KINDS, Failure
from providers.streams import UpstreamStream
from providers.transport import (
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    Incoming,
    MaybeSent,
    Outgoing,
    ProtocolBroken,
    TotalTimeout,
    Transport,
    TransportError,
)
from providers.values import Route

LARGEST_ANSWER = 64 * 1024 * 1024
LARGEST_ERROR = 64 * 1024


class Failed(Exception):
    """An attempt that failed, and how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class Attempt:
    """What the record says of one attempt. `outcome` is "answered" or the failure's kind."""

    provider: str
    upstream_id: str
    credential: int
    outcome: str = "cancelled"
    status: int | None = None
    duration_ms: int = 0
    maybe_billed: bool = True

    def ended(self, outcome: str, began: float) -> None:
        """Note the end of an attempt that `began` then, by time.monotonic."""
        self.outcome = outcome
        self.duration_ms = int((time.monotonic() - began) * 1000)

    def failed(self, failure: Failure, began: float) -> None:
        self.ended(failure.kind.name, began)
        self.status = failure.status
        self.maybe_billed = failure.kind.maybe_billed


@dataclass(frozen=True, slots=True)
class Call:
    """The client's request as every attempt sees it."""

    fields: Fields
    stream: bool
    wants_usage: bool


async def attempt(
    route: Route, call: Call, adapter: Adapter, transport: Transport, left_s: float
) -> Answer | UpstreamStream:
    """Send `call` along `route`; raises Failed, or BadRequest for what the format cannot say."""
    outgoing = within(adapter.request(route, call.fields, call.stream), left_s)
    try:
        incoming = await transport.send(outgoing)
    except TransportError as problem:
        raise Failed(unreachable(problem)) from problem
    done = False
    try:
        result = await judge(route, call, adapter, incoming)
        done = True
        return result
    except TransportError as problem:
        raise Failed(unreachable(problem)) from problem
    finally:
        if not (done and call.stream):
            incoming.close()


def within(outgoing: Outgoing, left_s: float) -> Outgoing:
    """Leave the attempt no more time than the request has."""
    if outgoing.timeouts.total_s <= left_s:
        return outgoing
    return replace(outgoing, timeouts=replace(outgoing.timeouts, total_s=left_s))


async def judge(
    route: Route, call: Call, adapter: Adapter, incoming: Incoming
) -> Answer | UpstreamStream:
    """Turn a response whose head has come into an answer or an opened stream; raises Failed."""
    secrets = (route.secret.token,) if route.secret.token else ()
    if not 200 <= incoming.status < 300:
        body = await read(incoming, LARGEST_ERROR, cut=True)
        raise Failed(read_failure(incoming.status, incoming.headers, body, secrets))
    if call.stream and "json" not in incoming.headers.get("content-type", ""):
        stream = UpstreamStream(incoming, adapter.reader(route.asked, call.wants_usage))
        await stream.open()
        if stream.failure is not None:
            raise Failed(stream.failure)
        return stream
    body = await read(incoming, LARGEST_ANSWER)
    try:
        answer = adapter.answer(body, route.asked)
    except Broken as problem:
        raise Failed(read_failure(200, incoming.headers, body, secrets)) from problem
    if call.stream:
        raise Failed(Failure(KINDS["broken"], "the provider did not stream its answer"))
    return answer


async def read(incoming: Incoming, limit: int, cut: bool = False) -> bytes:
    """Return the whole body; beyond `limit` its beginning if `cut`, else raises ProtocolBroken."""
    first = await incoming.chunk()
    pieces, size = [first], len(first)
    while piece := await incoming.chunk():
        pieces.append(piece)
        size += len(piece)
        if size > limit and cut:
            break
        if size > limit:
            raise ProtocolBroken(f"the answer is longer than {limit} bytes")
    return b"".join(pieces) if len(pieces) > 1 else first


TIMEOUTS = (FirstByteTimeout, IdleTimeout, TotalTimeout)


def unreachable(problem: TransportError) -> Failure:
    """Say what a transport's error means, without the addresses that its text may hold."""
    if isinstance(problem, ConnectTimeout):
        return Failure(KINDS["connect_timeout"], "the provider could not be reached in time")
    if isinstance(problem, TIMEOUTS):
        return Failure(KINDS["timeout"], "the provider did not answer in time")
    if isinstance(problem, ProtocolBroken):
        return Failure(KINDS["broken"], "the provider's answer could not be read")
    if isinstance(problem, MaybeSent):
        return Failure(KINDS["lost"], "the connection to the provider was lost")
    return Failure(KINDS["not_sent"], "the provider could not be reached")

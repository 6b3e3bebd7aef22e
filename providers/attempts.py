"""One attempt at one route: send, read, judge."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import msgspec

from providers.adapters.answers import Adapter, Answer, Broken, Fields
from providers.adapters.costs import Told, with_cost
from providers.envelopes import read_failure
from providers.errors import BadRequest
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
from providers.values import Route, Usage

LARGEST_ANSWER = 64 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
MOST_SAID = 300


class Failed(Exception):
    """An attempt that failed, and how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Attempt(msgspec.Struct):
    """What the record says of one attempt. `outcome` is "answered" or the failure's kind.

    offer: 0 where the attempt says nothing of an offer. said: the provider's words, cleaned, when
    it does not know the model; others may quote the client. cost_nano: what it may cost us, where
    it is not the one that answered.
    """

    provider: str
    upstream_id: str
    credential: int
    outcome: str = "cancelled"
    status: int | None = None
    duration_ms: int = 0
    maybe_billed: bool = True
    offer: int = 0
    said: str = ""
    cost_nano: int = 0

    def ended(self, outcome: str, began: float) -> None:
        """Note the end of an attempt that `began` then, by time.monotonic."""
        self.outcome = outcome
        self.duration_ms = int((time.monotonic() - began) * 1000)

    def failed(self, failure: Failure, began: float) -> None:
        self.ended(failure.kind.name, began)
        self.status = failure.status
        self.maybe_billed = failure.kind.maybe_billed
        if failure.kind.name == "model_missing":
            self.said = failure.message[:MOST_SAID]

    def broke_off(self, failure: Failure) -> None:
        """Note that the answer failed after its beginning, which may be billed in any case."""
        self.outcome = failure.kind.name


class Call(msgspec.Struct, frozen=True):
    """The client's request as every attempt sees it. prompt_tokens: an estimate.

    cost: what to tell of the cost of an answer along a route, where the client wants to know.
    """

    fields: Fields
    stream: bool
    wants_usage: bool
    wants_cost: bool = False
    prompt_tokens: int = 0
    cost: Callable[[Route, Usage], Told] | None = None


async def attempt(
    route: Route, call: Call, adapter: Adapter, transport: Transport, left_s: float
) -> Answer | UpstreamStream:
    """Send `call` along `route`; raises Failed."""
    try:
        outgoing = within(adapter.request(route, call.fields, call.stream), left_s)
        incoming = await transport.send(outgoing)
    except TransportError as problem:
        raise Failed(unreachable(problem)) from problem
    except BadRequest as problem:
        raise Failed(
            Failure(KINDS["not_expressible"], problem.message, param=problem.param)
        ) from problem
    except ValueError as problem:
        raise Failed(UNSENDABLE) from problem
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
    timeouts = replace(outgoing.timeouts, total_s=left_s)
    return msgspec.structs.replace(outgoing, timeouts=timeouts)


async def judge(
    route: Route, call: Call, adapter: Adapter, incoming: Incoming
) -> Answer | UpstreamStream:
    """Turn a response whose head has come into an answer or an opened stream; raises Failed."""
    secrets = (route.secret.token,) if route.secret.token else ()
    if not 200 <= incoming.status < 300:
        body = await beginning(incoming, LARGEST_ERROR)
        raise Failed(read_failure(incoming.status, incoming.headers, body, secrets))
    if call.stream and not WHOLE.search(incoming.headers.get("content-type", "")):
        reader = adapter.reader(route.asked, call.wants_usage, secrets)
        if call.cost is not None:
            reader.cost = partial(call.cost, route)
        stream = UpstreamStream(incoming, reader)
        await stream.open()
        if stream.failure is not None and not reader.text_bytes:
            raise Failed(stream.failure)
        return stream
    body = await read(incoming, LARGEST_ANSWER)
    try:
        answer = adapter.answer(body, route.asked)
    except Broken as problem:
        raise Failed(read_failure(200, incoming.headers, body, secrets)) from problem
    if call.stream:
        raise Failed(Failure(KINDS["broken"], "the provider did not stream its answer"))
    if call.cost is not None and answer.usage is not None:
        answer.body = with_cost(answer.body, call.cost(route, answer.usage))
    return answer


async def read(incoming: Incoming, limit: int) -> bytes:
    """Return the whole body; raises ProtocolBroken beyond `limit`."""
    first = await incoming.chunk()
    pieces, size = [first], len(first)
    while piece := await incoming.chunk():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise ProtocolBroken(f"the answer is longer than {limit} bytes")
    return b"".join(pieces) if len(pieces) > 1 else first


async def beginning(incoming: Incoming, limit: int) -> bytes:
    """Return what comes of an error's body, about `limit` bytes: its status says enough."""
    body = b""
    with suppress(MaybeSent):
        while len(body) < limit and (piece := await incoming.chunk()):
            body += piece
    return body


WHOLE = re.compile("json|html")  # kinds of content that are no stream of events
UNSENDABLE = Failure(
    KINDS["secret_refused"], "The operator's settings for this provider make no valid request."
)
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

"""The one failover loop: routes are tried in order until the first byte is ready for the client."""

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from providers import errors
from providers.adapters.answers import Answer
from providers.adapters.registry import ADAPTERS
from providers.attempts import Attempt, Call, Failed, attempt
from providers.breaker import Breaker
from providers.failures import KINDS, Failure
from providers.slots import Busy, Slot, Slots
from providers.streams import UpstreamStream
from providers.transport import NeverSent, Transport
from providers.values import Route, Usage

LEAST_S = 0.1  # with less time left, no further attempt begins


class Reply(msgspec.Struct):
    """What came of a request: an answer or an opened stream from `route`, after `attempts`."""

    attempts: list[Attempt] = []
    route: Route | None = None
    answer: Answer | None = None
    stream: UpstreamStream | None = None


class Dispatcher:
    """Holds what outlives a request: connections, circuits and slots."""

    def __init__(self, transports: Mapping[str, Transport], slots: Slots) -> None:
        self.breaker = Breaker(time.monotonic)
        self._transports = transports
        self._slots = slots

    async def send(self, routes: Sequence[Route], call: Call, reply: Reply) -> None:
        """Fill `reply` from the first route that answers; raises GatewayError.

        `reply.attempts` tells what was tried, also when this raises or is cancelled.
        """
        deadline = time.monotonic() + routes[0].endpoint.timeouts.total_s
        last: Failure | None = None
        for route in self.breaker.order(routes):
            left_s = deadline - time.monotonic() if last is not None else math.inf
            if left_s < LEAST_S:
                break
            if last is not None and self.breaker.wait_s(route) > 0:
                continue  # what failed just now asked for it
            last = await self._try(route, call, reply, left_s)
            if last is None:
                return
            if not moves_on(route, last):
                break
        if last is None:
            raise all_paused(routes, self.breaker)
        raise final(reply, last)

    async def _try(self, route: Route, call: Call, reply: Reply, left_s: float) -> Failure | None:
        """Try one route; return what went wrong, or None with the answer in `reply`."""
        reply.route = route
        slot = self._slots.take(route, call.prompt_tokens)
        if isinstance(slot, Busy):
            return Failure(KINDS["rate_limited"], slot.message, None, slot.wait_s)
        reply.attempts.append(
            made := Attempt(
                route.endpoint.slug, route.upstream_id, route.secret.id, offer=route.proves
            )
        )
        began = time.monotonic()
        try:
            adapter = ADAPTERS[route.endpoint.adapter]
            transport = self._transports[route.endpoint.base_url.partition(":")[0]]
            result = await attempt(route, call, adapter, transport, left_s)
        except Failed as failed:
            free(slot, failed.failure.kind.maybe_billed)
            made.failed(failed.failure, began)
            self.breaker.judge(route, failed.failure)
            return failed.failure
        except BaseException as gone:
            made.ended("cancelled", began)
            made.maybe_billed = not isinstance(gone, NeverSent)
            free(slot, made.maybe_billed)
            raise
        made.ended("answered", began)
        self._keep(route, result, reply, slot)
        return None

    def _keep(
        self, route: Route, result: Answer | UpstreamStream, reply: Reply, slot: Slot | None
    ) -> None:
        if isinstance(result, Answer):
            settle(slot, result.usage)
            self.breaker.succeeded(route)
            reply.answer = result
        else:
            result.on_close = partial(self._closed, route, slot)
            reply.stream = result

    def _closed(self, route: Route, slot: Slot | None, stream: UpstreamStream) -> None:
        """Judge a stream by its end; one that the client left proves nothing."""
        settle(slot, stream.reader.usage)
        if stream.failure is not None:
            self.breaker.judge(route, stream.failure)
        elif stream.complete:
            self.breaker.succeeded(route)


def free(slot: Slot | None, maybe_billed: bool) -> None:
    """Free the slot of an attempt that failed; its tokens go back if the provider saw none."""
    if slot is not None:
        slot.end(None if maybe_billed else 0)


def settle(slot: Slot | None, usage: Usage | None) -> None:
    """Free the slot of an answer, with the tokens that the provider reported."""
    if slot is not None:
        slot.end(usage.prompt + usage.completion if usage is not None else None)


def moves_on(route: Route, failure: Failure) -> bool:
    """Whether another route may be tried: never twice silently what may be billed twice."""
    if failure.kind.maybe_billed and not route.endpoint.resend_maybe_billed:
        return False
    return failure.kind.moves_on


def final(reply: Reply, failure: Failure) -> errors.GatewayError:
    """Return the client's error: the last attempt's, with what the others were."""
    where = reply.route.endpoint.name if reply.route is not None else "The provider"
    tried = [
        {"provider": made.provider, "outcome": made.outcome, "status": made.status}
        for made in reply.attempts
    ]
    return failure.kind.error(
        f"{where}: {failure.message}",
        param=failure.param,
        retry_after_s=failure.retry_after_s,
        metadata={"provider": reply.route and reply.route.endpoint.slug, "attempts": tried},
    )


def all_paused(routes: Sequence[Route], breaker: Breaker) -> errors.GatewayError:
    """Return the error for when every provider asked us to wait: as the soonest one asked it."""
    route = min(routes, key=breaker.wait_s)
    limited = breaker.asked_by(route) is KINDS["rate_limited"]
    kind = errors.UpstreamRateLimited if limited else errors.NoProviderAvailable
    return kind(
        f"{route.endpoint.name} asked us to wait.",
        retry_after_s=breaker.wait_s(route),
        metadata={"provider": route.endpoint.slug, "attempts": []},
    )

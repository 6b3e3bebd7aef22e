"""The failover loop with providers in memory: its time, its slots, and single packets."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from providers import errors
from providers.adapters.answers import Fields
from providers.attempts import Call, unreachable
from providers.dispatch import Dispatcher, Reply
from providers.slots import Busy
from providers.transport import ConnectionLost, ConnectRefused, TotalTimeout
from providers.values import Route, Secret, Timeouts
from tests.providers.routes import route
from tests.providers.transports import Canned, InMemory, event, stream

HELLO = b'[{"role": "user", "content": "Hello"}]'
ROLE = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
WORD = event({"choices": [{"index": 0, "delta": {"content": "Hello"}}]})
FAILED = event({"error": {"code": 502, "message": "Provider returned error"}})
DONE = b"data: [DONE]\n\n"


def call(streamed: bool = False, **members: Any) -> Call:
    fields: Fields = {"messages": msgspec.Raw(HELLO)}
    fields |= {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in members.items()}
    return Call(fields, streamed, False)


class Ticket:
    """A slot that remembers with how many tokens it ended."""

    def __init__(self, slots: "CountedSlots", slug: str) -> None:
        self.slots, self.slug = slots, slug

    def end(self, tokens: int | None) -> None:
        self.slots.taken[self.slug] -= 1
        self.slots.ended.append((self.slug, tokens))


class CountedSlots:
    """As many slots as the endpoint says, in this process alone."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.ended: list[tuple[str, int | None]] = []

    def take(self, route: Route, tokens: int) -> Ticket | Busy:
        limit, slug = route.endpoint.concurrency, route.endpoint.slug
        if limit is not None and self.taken[slug] >= limit:
            return Busy(1.0, "as many requests as allowed are under way there")
        self.taken[slug] += 1
        return Ticket(self, slug)


class World:
    """Providers a, b, … that answer as told, and what came of one request."""

    def __init__(self, **answers: Any) -> None:
        self.transports = {
            slug: given if isinstance(given, InMemory) else InMemory([given])
            for slug, given in answers.items()
        }
        self.slots = CountedSlots()
        self.dispatcher = Dispatcher(self.transports, self.slots)
        self.reply = Reply()

    def send(self, *routes: Route, streamed: bool = False, **members: Any) -> Reply:
        return asyncio.run(self.asend(*routes, streamed=streamed, **members))

    async def asend(self, *routes: Route, streamed: bool = False, **members: Any) -> Reply:
        self.reply = Reply()
        await self.dispatcher.send(routes, call(streamed, **members), self.reply)
        return self.reply

    def outcomes(self) -> list[str]:
        return [made.outcome for made in self.reply.attempts]

    def taken(self, slug: str) -> int:
        return self.slots.taken[slug]


A, B, C = route("a", 1, 1, concurrency=1), route("b", 2, 2), route("c", 3, 3)


def test_routes_are_tried_in_turn_until_one_answers() -> None:
    world = World(a=ConnectRefused("no"), b=Canned(500), c=Canned())
    reply = world.send(A, B, C)
    assert reply.route is C
    assert world.outcomes() == ["not_sent", "overloaded", "answered"]


def test_the_last_failure_is_told_with_all_attempts() -> None:
    world = World(a=ConnectRefused("to 10.0.0.7 refused"), b=Canned(500))
    with pytest.raises(errors.UpstreamError) as caught:
        world.send(A, B)
    assert caught.value.metadata == {
        "provider": "b",
        "attempts": [
            {"provider": "a", "outcome": "not_sent", "status": None},
            {"provider": "b", "outcome": "overloaded", "status": 500},
        ],
    }


def test_the_second_attempt_has_only_the_time_that_is_left() -> None:
    limits = Timeouts(1, 1, 1, 2)
    world = World(a=InMemory([ConnectRefused("no")], wait_s=0.5), b=Canned())
    world.send(route("a", timeouts=limits), B)
    first, second = world.transports["a"].sent[0], world.transports["b"].sent[0]
    assert first.timeouts.total_s == pytest.approx(2, abs=0.2)
    assert second.timeouts.total_s <= 1.5


def test_no_attempt_begins_without_time() -> None:
    world = World(a=InMemory([TotalTimeout("late")], wait_s=0.2), b=Canned())
    first = route("a", timeouts=Timeouts(total_s=0.25), resend_maybe_billed=True)
    with pytest.raises(errors.UpstreamTimeout):
        world.send(first, B)
    assert world.transports["b"].sent == []


def test_a_provider_without_a_free_slot_is_passed_over() -> None:
    world = World(a=Canned(), b=Canned())
    world.slots.take(A, 1)
    assert world.send(A, B).route is B
    assert world.outcomes() == ["answered"]


def test_a_client_of_a_busy_provider_is_told_to_come_back() -> None:
    world = World(a=Canned())
    world.slots.take(A, 1)
    with pytest.raises(errors.UpstreamRateLimited, match=r"^A: ") as caught:
        world.send(A)
    assert caught.value.retry_after_s == 1
    assert world.transports["a"].sent == []


@pytest.mark.parametrize("answer", [ConnectRefused("no"), Canned(500), Canned()])
def test_a_slot_is_free_after_the_attempt(answer: Any) -> None:
    world = World(a=answer, b=Canned())
    world.send(A, B)
    assert world.taken("a") == 0


def test_a_streams_slot_is_free_when_it_is_closed() -> None:
    world = World(a=stream(ROLE, WORD, DONE))
    reply = world.send(A, streamed=True)
    assert world.taken("a") == 1
    assert reply.stream is not None
    reply.stream.close()
    reply.stream.close()
    assert world.taken("a") == 0


def test_cancelling_closes_the_attempt_under_way() -> None:
    waiting = stream(None)
    world = World(a=ConnectRefused("no"), b=waiting)

    async def leave() -> None:
        task = asyncio.create_task(world.asend(A, B, streamed=True))
        while not world.transports["b"].sent:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert waiting.closed
    assert world.outcomes() == ["not_sent", "cancelled"]
    assert (world.taken("a"), world.taken("b")) == (0, 0)


def test_a_failed_attempts_connection_is_closed_before_the_next_begins() -> None:
    failed = Canned(500, (b"{}",))
    world = World(a=failed, b=Canned())
    world.send(A, B)
    assert failed.closed


def test_an_error_answer_that_breaks_off_is_judged_by_its_status() -> None:
    world = World(a=Canned(429, (b'{"error": {"mess', ConnectionLost("cut"))), b=Canned())
    world.send(A, B)
    assert world.outcomes() == ["rate_limited", "answered"]


def test_what_a_format_cannot_say_is_for_the_next_route() -> None:
    world = World(a=Canned(), b=Canned())
    world.send(route("a", adapter="anthropic"), B, n=3)
    assert world.outcomes() == ["not_expressible", "answered"]
    assert world.transports["a"].sent == []


def test_what_no_format_can_say_is_the_clients_mistake() -> None:
    world = World(a=Canned())
    with pytest.raises(errors.BadRequest, match="n must be 1") as caught:
        world.send(route("a", adapter="anthropic"), n=3)
    assert caught.value.param == "n"


def test_settings_that_make_no_valid_request_are_the_operators_trouble() -> None:
    world = World(a=ValueError("the value of 'authorization' holds a line break"), b=Canned())
    assert world.send(A, B).route is B
    with pytest.raises(errors.NoProviderAvailable) as caught:
        world.send(A)
    assert "line break" not in caught.value.message


def test_an_error_in_one_packet_with_the_role_is_before_the_first_content() -> None:
    world = World(a=stream(b": hello\n\n" + ROLE + FAILED), b=stream(ROLE, WORD, DONE))
    assert world.send(A, B, streamed=True).route is B


def test_an_error_in_one_packet_with_text_is_told_after_that_text() -> None:
    world = World(a=stream(ROLE + WORD + FAILED), b=stream(ROLE, WORD, DONE))
    reply = world.send(A, B, streamed=True)
    assert reply.route is A
    assert reply.stream is not None
    assert b"Hello" in asyncio.run(reply.stream.chunk())
    assert reply.stream.failure is not None


@pytest.mark.parametrize("adapter", ["openai", "anthropic"])
def test_a_secret_in_a_stream_is_not_told(adapter: str) -> None:
    secret = Secret(1, "plain", "correct-horse-battery")
    world = World(a=stream(event({"error": {"message": f"key {secret.token} is bad"}})))
    with pytest.raises(errors.GatewayError, match="is bad") as caught:
        world.send(replace(route("a", adapter=adapter), secret=secret), streamed=True)
    assert "horse" not in caught.value.message


def test_a_stream_is_judged_by_its_end() -> None:
    """Five that broke off after their first event put the offer last; one that ended clears it."""
    broken = [stream(WORD, ConnectionLost("cut")) for _ in range(5)]
    world = World(a=InMemory([*broken, stream(WORD, DONE)]), b=stream(ROLE, WORD, DONE))
    for _ in range(5):
        finish(world.send(A, B, streamed=True))
    assert list(world.dispatcher.breaker.order([A, B])) == [B, A]
    finish(world.send(A, streamed=True))
    assert list(world.dispatcher.breaker.order([A, B])) == [A, B]


def finish(reply: Reply) -> None:
    """Read a stream to its end, as the relay does."""
    assert reply.stream is not None

    async def read() -> None:
        assert reply.stream is not None
        try:
            while await reply.stream.chunk():
                pass
        except ConnectionLost as problem:
            reply.stream.failure = unreachable(problem)
        reply.stream.close()

    asyncio.run(read())


def test_when_all_wait_the_soonest_is_named() -> None:
    slow = Canned(429, (b"{}",), {"retry-after": "40"})
    world = World(a=slow, b=Canned(429, (b"{}",), {"retry-after": "9"}))
    for _ in range(2):
        with pytest.raises(errors.UpstreamRateLimited) as caught:
            world.send(A, B)
    assert caught.value.retry_after_s == pytest.approx(9, abs=1)
    assert caught.value.metadata == {"provider": "b", "attempts": []}
    assert len(world.transports["a"].sent) == len(world.transports["b"].sent) == 1


def test_when_all_wait_for_a_model_that_loads_it_is_no_limit() -> None:
    world = World(a=Canned(503, (b'{"error": "loading", "estimated_time": 20}',)))
    for _ in range(2):
        with pytest.raises(errors.NoProviderAvailable) as caught:
            world.send(A)
        assert caught.value.retry_after_s == pytest.approx(20, abs=1)
    assert len(world.transports["a"].sent) == 1

"""Credentials, waits, breakers and fallback lists: which route a request takes, served."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.upstreams.chat import Chat
from tests.upstreams.errors import Status, error
from tests.upstreams.faults import Close, Hang, refused
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Stream
from tests.world.config import unique
from tests.world.gateway import Gateway

FIRST, SECOND = "sk-first-credential-1", "sk-second-credential-2"
TWO_KEYS = {"credentials": [{"value": FIRST}, {"value": SECOND}]}


@pytest.fixture
def spare() -> Iterator[Upstream]:
    with Upstream() as up:
        up.reply(Chat("The spare one answers"))
        yield up


@pytest.fixture
def model() -> str:
    return unique("routes/model")


def ask(gateway: Gateway, model: str, **members: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **members}
    return gateway.http.post("/v1/chat/completions", json=body)


def tokens(up: Upstream) -> list[str]:
    return [seen.token for seen in up.requests]


def row(gateway: Gateway, response: httpx.Response) -> dict[str, Any]:
    """Return the request's usage row, once it is booked."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        sql = "SELECT * FROM billing_usagerow WHERE request_id = ?"
        found = gateway.rows(sql, response.headers["x-request-id"])
        if found:
            told = found[0]["attempts"]
            return found[0] | {"attempts": json.loads(told) if isinstance(told, str) else told}
        time.sleep(0.05)
    raise AssertionError("the request has no usage row")


def only_for(token: str, refusal: Any) -> Callable[[Seen], Any]:
    """Return a check that refuses requests with this credential."""
    return lambda seen: refusal if seen.token == token else None


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [401, 402, 429])
def test_the_second_credential_answers_where_the_first_is_refused(
    gateway: Gateway, upstream: Upstream, model: str, status: int, streamed: bool
) -> None:
    upstream.checks = [only_for(FIRST, Status(status, {"error": "no"}))]
    slug = gateway.provider(upstream, [model], **TWO_KEYS)
    answer = ask(gateway, model, stream=streamed)
    assert answer.status_code == 200
    assert tokens(upstream) == [FIRST, SECOND]
    assert answer.headers["x-gatewayz-attempts"] == "2"
    booked = row(gateway, answer)
    used = [made["credential"] for made in booked["attempts"]]
    assert len(set(used)) == 2
    assert [made["provider"] for made in booked["attempts"]] == [slug, slug]
    assert (booked["outcome"], booked["attempts"][0]["status"]) == ("answered", status)


@pytest.mark.parametrize("status", [401, 429])
def test_a_refused_credential_is_tried_last_from_then_on(
    gateway: Gateway, upstream: Upstream, model: str, status: int
) -> None:
    upstream.checks = [only_for(FIRST, Status(status, {"error": "no"}))]
    gateway.provider(upstream, [model], **TWO_KEYS)
    assert [ask(gateway, model).status_code for _ in range(4)] == [200] * 4
    assert tokens(upstream) == [FIRST, *[SECOND] * 4]


def test_a_credential_is_left_alone_for_as_long_as_the_provider_asked(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    limited = error("openai", 429, "rate_limit", retry_after="2")
    gateway.provider(upstream, [model], **TWO_KEYS)
    upstream.checks = [only_for(FIRST, limited)]
    began = time.monotonic()
    while time.monotonic() - began < 1.2:
        assert ask(gateway, model).status_code == 200
        time.sleep(0.1)
    assert tokens(upstream).count(FIRST) == 1
    time.sleep(2.2 - (time.monotonic() - began))
    upstream.checks = []
    upstream.forget()
    assert ask(gateway, model).status_code == 200
    assert tokens(upstream) == [FIRST]


def test_when_all_credentials_wait_the_client_is_told_and_the_provider_sees_nothing(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.checks = [
        only_for(FIRST, error("openai", 429, "rate_limit", retry_after="60")),
        only_for(SECOND, error("openai", 429, "rate_limit", retry_after="30")),
    ]
    slug = gateway.provider(upstream, [model], **TWO_KEYS, name="Acme")
    ask(gateway, model)
    assert tokens(upstream) == [FIRST, SECOND]
    for streamed in (False, True):
        answer = ask(gateway, model, stream=streamed)
        problem = answer.json()["error"]
        assert (answer.status_code, problem["code"]) == (429, "upstream_rate_limited")
        assert problem["message"] == "Acme asked us to wait."
        assert 20 < int(answer.headers["retry-after"]) <= 30
        assert answer.headers["x-ratelimit-scope"] == "upstream"
        assert answer.headers["x-gatewayz-attempts"] == "0"
        booked = row(gateway, answer)
        assert (booked["outcome"], booked["error_code"]) == ("failed", "upstream_rate_limited")
        assert (booked["attempts"], booked["cost_nano"]) == ([], 0)
    assert tokens(upstream) == [FIRST, SECOND]
    assert problem["metadata"]["provider"] == slug


def test_a_provider_that_waits_is_passed_over_for_another(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    upstream.reply(error("openai", 429, "rate_limit", retry_after="30"))
    gateway.provider(upstream, [model], priority=10)
    slug = gateway.provider(spare, [model])
    answers = [ask(gateway, model) for _ in range(3)]
    assert [answer.headers["x-gatewayz-provider"] for answer in answers] == [slug] * 3
    assert [answer.headers["x-gatewayz-attempts"] for answer in answers] == ["2", "1", "1"]
    assert len(upstream.requests) == 1


def test_a_loading_model_is_left_alone_and_told_as_a_503(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.reply(error("huggingface", 503))
    gateway.provider(upstream, [model], **TWO_KEYS)
    for _ in range(2):
        answer = ask(gateway, model)
        told = (answer.status_code, answer.json()["error"]["code"])
        assert told == (503, "no_provider_available")
        assert 10 < int(answer.headers["retry-after"]) <= 20
    assert tokens(upstream) == [FIRST]


def test_a_wait_counts_for_the_rest_of_the_list_too(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    other = unique("routes/other")
    upstream.reply(error("openai", 429, "rate_limit", retry_after="30"))
    gateway.provider(upstream, [model, other])
    answer = ask(gateway, model, models=[other])
    assert (answer.status_code, answer.headers["x-gatewayz-attempts"]) == (429, "1")
    assert [seen.model for seen in upstream.requests] == [model]


def test_an_offer_that_failed_five_times_is_tried_last_until_it_answers_again(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    upstream.reply(error("openai", 500))
    first = gateway.provider(upstream, [model], priority=10)
    second = gateway.provider(spare, [model])
    answers = [ask(gateway, model) for _ in range(8)]
    assert [answer.headers["x-gatewayz-provider"] for answer in answers] == [second] * 8
    assert len(upstream.requests) == 5
    upstream.reply(Chat("Here again"))
    spare.reply(error("openai", 500))
    assert ask(gateway, model).headers["x-gatewayz-provider"] == first
    spare.reply(Chat("The spare one answers"))
    assert ask(gateway, model).headers["x-gatewayz-provider"] == first
    assert ask(gateway, model).headers["x-gatewayz-attempts"] == "1"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fallback_models_answer_bears_its_name_from_the_list(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str, streamed: bool
) -> None:
    upstream.reply(error("openai", 500))
    other, alias = unique("routes/other"), unique("other-alias")
    gateway.provider(upstream, [model])
    slug = gateway.provider(spare, [{"id": other, "upstream_id": "spare/other"}])
    gateway.apply({"version": 1, "aliases": {alias: other}})
    answer = ask(gateway, model, models=[alias], stream=streamed)
    assert answer.status_code == 200
    assert answer.headers["x-gatewayz-provider"] == slug
    assert answer.headers["x-gatewayz-model"] == "spare/other"
    assert answer.headers["x-gatewayz-attempts"] == "2"
    assert spare.requests[0].model == "spare/other"
    assert named(answer, streamed) == {alias}
    booked = row(gateway, answer)
    assert (booked["asked_model"], booked["model_id"]) == (model, other)
    assert [made["provider"] for made in booked["attempts"]][1] == slug


def named(answer: httpx.Response, streamed: bool) -> set[str]:
    """Return every `model` that the answer tells."""
    if not streamed:
        return {answer.json()["model"]}
    lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    assert len(lines) > 2
    return {json.loads(line.removeprefix("data: "))["model"] for line in lines}


def test_all_routes_of_a_name_come_before_the_next_name(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    other = unique("routes/other")
    upstream.reply(error("openai", 500))
    with refused() as nobody:
        one = gateway.provider(nobody, [model], priority=10)
        two = gateway.provider(upstream, [model], priority=20)
        three = gateway.provider(spare, [other])
        answer = ask(gateway, model, models=[other])
    assert answer.headers["x-gatewayz-attempts"] == "3"
    booked = row(gateway, answer)
    assert [made["provider"] for made in booked["attempts"]] == [one, two, three]
    outcomes = [made["outcome"] for made in booked["attempts"]]
    assert outcomes == ["not_sent", "overloaded", "answered"]


def test_when_every_route_fails_the_last_error_is_told_with_all_attempts(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    upstream.reply(error("openai", 500))
    spare.reply(error("openai", 401))
    one = gateway.provider(upstream, [model], priority=10)
    two = gateway.provider(spare, [model])
    answer = ask(gateway, model)
    problem = answer.json()["error"]
    assert (answer.status_code, problem["code"]) == (503, "no_provider_available")
    assert answer.headers["x-gatewayz-attempts"] == "2"
    assert answer.headers["x-gatewayz-provider"] == two
    assert problem["metadata"]["attempts"] == [
        {"provider": one, "outcome": "overloaded", "status": 500},
        {"provider": two, "outcome": "secret_refused", "status": 401},
    ]


@contextmanager
def under_way(gateway: Gateway, model: str, streamed: bool) -> Iterator[None]:
    """A client whose request is waiting, and who leaves at the end of the block."""
    body = json.dumps(
        {
            "model": model,
            "stream": streamed,
            "messages": [{"role": "user", "content": "Hello"}],
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer "
        f"{gateway.key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as client:
        client.sendall(head.encode() + body)
        yield


@pytest.mark.parametrize("streamed", [False, True])
def test_a_client_that_leaves_closes_the_second_attempt(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str, streamed: bool
) -> None:
    upstream.reply(error("openai", 500))
    spare.reply(Hang())
    gateway.provider(upstream, [model], priority=10)
    slug = gateway.provider(spare, [model])
    with under_way(gateway, model, streamed):
        (waiting,) = spare.wait_for(1)
    left = time.monotonic()
    assert waiting.wait_closed() - left < 1
    until = time.monotonic() + 10
    booked: list[dict[str, Any]] = []
    while not booked and time.monotonic() < until:
        time.sleep(0.05)
        booked = gateway.rows("SELECT * FROM billing_usagerow WHERE asked_model = ?", model)
    (only,) = booked
    attempts = json.loads(only["attempts"])
    assert (only["outcome"], only["status"], only["provider"]) == ("cancelled", 499, slug)
    assert [made["outcome"] for made in attempts] == ["overloaded", "cancelled"]
    assert attempts[1]["maybe_billed"] is True


def test_a_lost_answer_is_sent_again_only_where_the_operator_allows_it(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    upstream.reply(Close())
    first = gateway.provider(upstream, [model], priority=10)
    gateway.provider(spare, [model])
    assert ask(gateway, model).json()["error"]["code"] == "upstream_error"
    assert spare.requests == []
    allowed = {"providers": {first: {"resend_maybe_billed": True}}}
    gateway.apply({"version": 1, **allowed})
    assert ask(gateway, model).status_code == 200
    assert len(spare.requests) == 1


def test_a_stream_waits_for_its_first_event_before_anything_is_sent(
    gateway: Gateway, upstream: Upstream, spare: Upstream, model: str
) -> None:
    """Keep-alives before an error do not settle who answers."""
    failed = {"error": {"code": 503, "message": "No instances available"}}
    upstream.reply(Stream(comments_only_s=0.5, stop_after=0, error=failed))
    gateway.provider(upstream, [model], priority=10)
    slug = gateway.provider(spare, [model])
    answer = ask(gateway, model, stream=True)
    assert answer.headers["x-gatewayz-provider"] == slug
    assert "error" not in answer.text

"""What becomes of a request when its provider fails, for every fault, served over sockets.

All requests are made at once, before the first test; the tests look at what came of them.
"""

import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import trustme

from providers.failures import KINDS, Kind
from tests.gatewayz.faults import ACCOUNT, SECRET, STREAM, Fault, faults
from tests.upstreams.chat import Chat
from tests.upstreams.faults import UNRESOLVABLE, refused
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.world.config import TIMEOUTS
from tests.world.gateway import Gateway

ROWS = faults("http://127.0.0.1:9/v1")
GOOD = "failover-good"
ANSWER = "The second one answers"
SAME_TIME = 32  # requests under way at once


@dataclass
class Told:
    """One request and what came of it. scene: "alone", "second" or "resend".

    "second": another provider serves the model too; "resend": and the operator allows to send
    again what may be billed.
    """

    fault: Fault
    mode: str
    scene: str
    answer: httpx.Response | None = None
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        plain = "".join(c if c.isalnum() else "-" for c in self.fault.name.lower())
        return f"{plain}-{self.mode}-{self.scene}"

    @property
    def kind(self) -> Kind:
        return KINDS[self.fault.kind]

    @property
    def moves_on(self) -> bool:
        """Whether the next route is to be tried."""
        if self.fault.after or self.scene == "alone" or not self.kind.moves_on:
            return False
        return not self.kind.maybe_billed or (self.scene == "resend" and not self.fault.spent)

    @property
    def response(self) -> httpx.Response:
        assert self.answer is not None
        return self.answer

    def events(self) -> list[Any]:
        lines = self.response.text.splitlines()
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        return [json.loads(item) for item in data if item != "[DONE]"]

    def text(self) -> str:
        """Return what the model said, streamed or not."""
        if self.mode == "whole":
            return str(self.response.json()["choices"][0]["message"]["content"])
        choices = [event["choices"][0] for event in self.events() if event.get("choices")]
        return "".join(choice["delta"].get("content", "") for choice in choices)

    def error(self) -> dict[str, Any]:
        """Return the error, which is the last event of a stream that broke off."""
        body = self.events()[-1] if self.fault.after else self.response.json()
        return dict(body["error"])


@dataclass
class World:
    told: list[Told]
    good: list[Seen]
    addresses: list[str]

    def of(self, fault: Fault, *scenes: str) -> list[Told]:
        """Return the requests that met `fault`, in these scenes or in all."""
        told = [told for told in self.told if told.fault.name == fault.name]
        return [one for one in told if not scenes or one.scene in scenes]

    def sent_on(self, told: Told) -> int:
        """Return how often the second provider saw the request."""
        return sum(seen.model == f"good/{told.name}" for seen in self.good)


def scenes() -> list[Told]:
    names = ("alone", "second", "resend")
    return [Told(row, mode, scene) for row in ROWS for mode in row.modes for scene in names]


def faulty(after: bool | None = None) -> Any:
    """Parametrise a test by fault: all, or those before or after the first byte."""
    rows = [row for row in ROWS if after in (None, row.after)]
    return pytest.mark.parametrize("fault", rows, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def world(gateway: Gateway) -> Iterator[World]:
    untrusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(untrusted)
    with ExitStack() as stack:
        bad, good, tls = (stack.enter_context(Upstream(c)) for c in (None, None, untrusted))
        closed = stack.enter_context(refused())
        places = {"bad": bad, "refused": closed, "unresolvable": UNRESOLVABLE, "untrusted": tls}
        every = scenes()
        by_name = {row.name: row for row in faults(good.url)}
        for told in every:
            bad.models[f"bad/{told.name}"] = by_name[told.fault.name].does
        good.reply(Chat(ANSWER))
        gateway.apply(config(gateway, every, places, good))
        pool = stack.enter_context(ThreadPoolExecutor(SAME_TIME))
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
        list(pool.map(lambda told: ask(client, gateway, told), every))
        look_up(gateway, every)
        addresses = [f":{bad.port}", f":{good.port}", "127.0.0.1", "upstream.invalid"]
        yield World(every, good.requests, addresses)


def config(
    gateway: Gateway, every: list[Told], places: dict[str, Upstream | str], good: Upstream
) -> dict[str, Any]:
    """Return one config for all: a provider of its own for each request, so that none of them
    knows of another's failures, and one second provider for all."""
    providers: dict[str, Any] = {}
    models: dict[str, Any] = {}
    for told in every:
        bad_one = gateway.declared.provider(
            f"bad-{told.name}",
            places[told.fault.place],
            [{"id": told.name, "upstream_id": f"bad/{told.name}"}],
            name="The bad one",
            priority=10,
            credentials=[{"value": SECRET}],
            headers={"OpenAI-Organization": ACCOUNT},
            timeouts={**TIMEOUTS, **told.fault.timeouts},
            resend_maybe_billed=told.scene == "resend",
        )
        providers |= bad_one["providers"]
        models |= bad_one["models"]
    second = [
        {"id": told.name, "upstream_id": f"good/{told.name}"}
        for told in every
        if told.scene != "alone"
    ]
    good_one = gateway.declared.provider(GOOD, good, second, name="The good one")
    providers |= good_one["providers"]
    return {"version": 1, "providers": providers, "models": models | good_one["models"]}


def ask(client: httpx.Client, gateway: Gateway, told: Told) -> None:
    body = {
        "model": told.name,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": told.mode == "stream",
    }
    bearer = {"Authorization": f"Bearer {gateway.key}"}
    told.answer = client.post(f"{gateway.url}/v1/chat/completions", json=body, headers=bearer)


def look_up(gateway: Gateway, every: list[Told]) -> None:
    """Wait for every request's usage row."""
    by_id = {told.response.headers["x-request-id"]: told for told in every}
    marks = ", ".join("?" * len(by_id))
    until = time.monotonic() + 20
    found: list[dict[str, Any]] = []
    while len(found) < len(by_id) and time.monotonic() < until:
        time.sleep(0.1)
        sql = f"SELECT * FROM billing_usagerow WHERE request_id IN ({marks})"
        found = gateway.rows(sql, *by_id)
    for row in found:
        by_id[row["request_id"]].row = {**row, "attempts": attempts_of(row)}


def attempts_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    told = row["attempts"]
    return list(json.loads(told) if isinstance(told, str) else told)


@faulty(after=False)
def test_a_client_of_one_provider_sees_the_error_with_its_status(
    world: World, fault: Fault
) -> None:
    for told in world.of(fault, "alone"):
        error, expected = told.error(), told.kind.error
        assert (told.response.status_code, error["code"]) == (expected.status, expected.code)
        assert set(error) == {"message", "type", "param", "code", "request_id", "metadata"}
        assert error["message"].startswith("The bad one: ")
        assert error["request_id"] == told.response.headers["x-request-id"]
        assert told.response.headers["x-gatewayz-attempts"] == "1"


@faulty(after=False)
def test_a_client_is_told_when_to_come_back_and_whose_limit_it_is(
    world: World, fault: Fault
) -> None:
    for told in world.of(fault, "alone"):
        soon = "5" if told.kind.error.status in (429, 503) else None
        scope = "upstream" if told.kind.name == "rate_limited" else None
        headers = told.response.headers
        assert headers.get("retry-after") == (fault.retry_after or soon), told.name
        assert headers.get("x-ratelimit-scope") == scope, told.name


@faulty(after=False)
def test_the_next_route_answers_where_that_is_safe_or_allowed(world: World, fault: Fault) -> None:
    for told in world.of(fault, "second", "resend"):
        headers = told.response.headers
        attempts = headers["x-gatewayz-attempts"]
        if told.moves_on:
            assert (told.response.status_code, told.text()) == (200, ANSWER)
            assert (world.sent_on(told), attempts) == (1, "2")
            assert headers["x-gatewayz-provider"] == GOOD
            assert headers["x-gatewayz-model"] == f"good/{told.name}"
        else:
            assert told.error()["code"] == told.kind.error.code
            assert (world.sent_on(told), attempts) == (0, "1"), told.name


@faulty(after=True)
def test_after_the_first_byte_the_stream_ends_with_the_error(world: World, fault: Fault) -> None:
    for told in world.of(fault):
        assert told.response.status_code == 200
        assert told.text().startswith("Hello")
        assert told.error()["code"] == told.kind.error.code
        assert "[DONE]" not in told.response.text
        assert world.sent_on(told) == 0


@faulty()
def test_every_attempt_is_recorded(world: World, fault: Fault) -> None:
    for told in world.of(fault):
        assert told.row, f"{told.name} has no usage row"
        first, *others = told.row["attempts"]
        assert first["provider"] == f"bad-{told.name}"
        assert first["upstream_id"] == f"bad/{told.name}"
        assert first["credential"] > 0
        assert (first["outcome"], first["status"]) == (told.kind.name, fault.status), told.name
        assert first["maybe_billed"] is (told.kind.maybe_billed or fault.after)
        assert [other["outcome"] for other in others] == ["answered"] * told.moves_on


@faulty()
def test_what_the_request_came_to_is_recorded(world: World, fault: Fault) -> None:
    for told in world.of(fault):
        row = told.row
        became = (row["outcome"], row["status"], row["error_code"], row["provider"])
        if told.moves_on:
            assert became == ("answered", 200, "", GOOD)
            assert (row["usage_source"], row["cost_nano"]) == ("upstream", 9 * 500 + 12 * 1500)
            continue
        error = told.kind.error
        status = 200 if fault.after else error.status
        assert became == ("failed", status, error.code, f"bad-{told.name}")
        assert row["usage_source"] == ("estimated" if fault.after else "none")
        assert (row["cost_nano"] > 0) is fault.after


@faulty()
def test_neither_secret_nor_address_nor_account_is_told(world: World, fault: Fault) -> None:
    for told in world.of(fault):
        everything = f"{told.response.headers} {told.response.text}"
        for hidden in (SECRET, SECRET[-8:], ACCOUNT, *world.addresses):
            assert hidden not in everything, told.name


def test_a_redirect_is_not_followed(world: World) -> None:
    redirects = [told for told in world.told if told.fault.name == "redirect"]
    assert [world.sent_on(told) for told in redirects if told.scene == "alone"] == [0, 0]


def test_streams_and_whole_answers_meet_the_same_faults() -> None:
    """Rows with one mode are those that only a stream, or only a whole answer, can show."""
    assert all(row.modes == STREAM for row in ROWS if row.after)
    assert sum(len(row.modes) == 2 for row in ROWS) > len(ROWS) / 2

"""Real requests through the served gateway are evidence within a second or two."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat
from tests.upstreams.errors import Status, error
from tests.upstreams.faults import Hang
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

pytestmark = pytest.mark.timeout(90)

HEALTH = """
    SELECT h.* FROM evidence_offerhealth h
    JOIN catalog_offer o ON o.id = h.offer_id JOIN catalog_model m ON m.id = o.model_id
    WHERE m.model_id = ?
"""
MINUTES = """
    SELECT coalesce(sum(n.ok + n.failed + n.faultless), 0) AS requests,
           coalesce(sum(n.failed), 0) AS failed
    FROM evidence_offerminute n
    JOIN catalog_offer o ON o.id = n.offer_id JOIN catalog_model m ON m.id = o.model_id
    WHERE m.model_id = ?
"""


def ask(gateway: Gateway, model: str, **more: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
    return gateway.http.post("/v1/chat/completions", json=body)


def until(true: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """Wait for something that becomes true, and return it."""
    end = time.monotonic() + timeout_s
    while not (found := true()):
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.05)
    return found


def health(gateway: Gateway, model: str) -> dict[str, Any]:
    rows = gateway.rows(HEALTH, model)
    return rows[0] if rows else {}


def listed(gateway: Gateway, model: str) -> bool:
    return model in {row["id"] for row in gateway.http.get("/v1/models").json()["data"]}


@pytest.fixture
def model(gateway: Gateway, upstream: Upstream) -> str:
    name = unique("evidence/model")
    gateway.provider(upstream, [name])
    return name


def test_three_not_founds_take_the_model_out_and_say_why(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.reply(error("vllm", 404, "flat"))
    assert listed(gateway, model)
    for _ in range(3):
        assert ask(gateway, model).status_code == 404
    began = time.monotonic()
    until(lambda: not listed(gateway, model))
    assert time.monotonic() - began < 5
    upstream.forget()
    refused = ask(gateway, model)
    assert refused.status_code == 404
    problem = refused.json()["error"]
    assert problem["code"] == "model_not_available"
    assert "down since" in problem["message"]
    assert "not found three times in a row" in problem["metadata"]["reason"]
    assert upstream.requests == []
    explained = gateway.manage("explain", model)
    assert problem["metadata"]["reason"] in explained
    assert "model_not_available" in explained


def test_a_model_that_is_down_in_one_place_is_served_by_the_other(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    with Upstream() as second:
        gateway.provider(second, [model], priority=90)
        upstream.reply(error("openai", 404))
        for _ in range(3):
            assert ask(gateway, model).status_code == 200
        until(lambda: "down" in {row["state"] for row in gateway.rows(HEALTH, model)})
        until(lambda: ask(gateway, model).headers["X-Gatewayz-Attempts"] == "1")


SOFT: dict[str, Behaviour] = {
    "500": Status(500, {"error": {"message": "boom"}}),
    "503": error("openai", 503),
    "429": error("openai", 429),
    "400": error("groq", 400),
    "401": error("openai", 401),
    "404 for tools": Status(404, {"error": {"message": "No endpoints found that support tools."}}),
    "timeout": Hang(),
}


@pytest.mark.parametrize("what", SOFT)
def test_nothing_but_not_found_takes_a_model_out(
    gateway: Gateway, upstream: Upstream, what: str
) -> None:
    upstream.reply(SOFT[what])
    model = unique("evidence/soft")
    deadlines = {"connect": 1, "first_byte": 0.2, "idle": 1, "total": 2}
    gateway.provider(upstream, [model], timeouts=deadlines)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(gateway, model).status_code, range(50)))
    assert 200 not in answers
    sent = len(upstream.requests)
    until(lambda: gateway.rows(MINUTES, model)[0]["requests"] >= sent)
    assert health(gateway, model).get("state", "unknown") != "down"
    assert listed(gateway, model)


def test_a_requests_own_mistake_is_not_the_offers_failure(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.reply(Status(400, {"error": {"message": "temperature must be below 2"}}))
    ask(gateway, model)
    found = until(
        lambda: gateway.rows(MINUTES, model)[0]["requests"] and gateway.rows(MINUTES, model)
    )
    assert found[0]["failed"] == 0


def test_a_stream_tells_its_first_token_and_its_speed(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.reply(Chat(delay_s=0.1, text="one two three"))
    ask(gateway, model, stream=True).read()
    row = until(
        lambda: gateway.rows(
            "SELECT e.* FROM evidence_evidence e JOIN catalog_offer o ON o.id = e.offer_id"
            " JOIN catalog_model m ON m.id = o.model_id WHERE m.model_id = ?",
            model,
        )
    )[0]
    assert (row["source"], row["outcome"], row["status"]) == ("traffic", "ok", 200)
    assert 80 <= row["first_byte_ms"] < row["latency_ms"]
    assert row["latency_ms"] >= 400
    assert row["tokens_per_second"] == pytest.approx(12_000 / row["latency_ms"], rel=0.05)


def test_a_suffix_of_the_clients_proves_nothing_of_the_offer(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.reply(error("huggingface", 400, "model_not_supported"))
    model = unique("evidence/suffixed")
    gateway.provider(upstream, [model], passes_suffixes=["*"])
    for _ in range(3):
        assert ask(gateway, f"{model}:bogus").status_code == 404
    upstream.reply(Chat())
    assert ask(gateway, model).status_code == 200
    until(lambda: health(gateway, model))
    assert gateway.rows(MINUTES, model)[0]["requests"] == 1


def test_a_block_rule_counts_the_requests_that_it_kept_out(gateway: Gateway, model: str) -> None:
    gateway.apply({"version": 1, "blocks": [{"pattern": model, "reason": "not for chat"}]})
    for _ in range(3):
        refused = ask(gateway, model)
        assert refused.status_code == 404
        assert "blocked: not for chat" in refused.json()["error"]["message"]
    hits = (
        "SELECT h.hits, h.last_hit_at FROM evidence_blockhits h"
        " JOIN catalog_blockrule b ON b.id = h.rule_id WHERE b.pattern = ?"
    )
    until(lambda: [row["hits"] for row in gateway.rows(hits, model)] == [3])
    assert gateway.rows("SELECT 1 FROM billing_usagerow WHERE asked_model = ?", model) == []

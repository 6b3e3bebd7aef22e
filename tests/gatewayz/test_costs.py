"""What answers cost, as booked, as told to who asks, and where no price is known."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.gatewayz.streaming.line import events
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat
from tests.upstreams.messages import Messages
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway

PRICES = {
    **{"input": "3", "output": "15", "cached_input": "0.30", "cache_write": "3.75"},
    **{"cache_write_1h": "6", "request": "0.001", "web_search": "0.01"},
    "tiers": [{"min_prompt_tokens": 1000, "input": "6"}],
}
UNPRICED = {"id": "acme/unpriced", "price": {}}
MODELS: list[Any] = [{"id": f"acme/cost-{n}", "price": PRICES} for n in range(12)]
CLAUDES: list[Any] = [{"id": f"acme/claude-{n}", "price": PRICES} for n in range(3)]
ASKED = {"usage": {"include": True}}
USED = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 5},
    "cost": 0.5,
    "server_tool_use": {"web_search_requests": 2},
}
PROMPT = 50 * 3000 + 40 * 300 + 10 * 3750  # nano-USD
ANSWER, PIECES = 20 * 15_000, 10**6 + 2 * 10**7
COST = PROMPT + ANSWER + PIECES
TOLD = {
    "cost": COST / 10**9,
    "cost_details": {
        "prompt_cost": PROMPT / 10**9,
        "completions_cost": ANSWER / 10**9,
        "other_cost": PIECES / 10**9,
    },
}


@dataclass
class Shop:
    gateway: Gateway
    up: Upstream
    free: list[str]
    claudes: list[str]

    def model(self, behaviour: Behaviour) -> str:
        free = self.claudes if isinstance(behaviour, Messages) else self.free
        name = free.pop()
        self.up.models[name] = behaviour
        return name

    def ask(self, model: str, key: str = "", **rest: Any) -> httpx.Response:
        messages = [{"role": "user", "content": "What does it cost?"}]
        bearer = {"Authorization": f"Bearer {key or self.gateway.key}"}
        body = {"model": model, "messages": messages, **rest}
        return self.gateway.http.post("/v1/chat/completions", json=body, headers=bearer)

    def booked(self, model: str) -> dict[str, Any]:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            sql = "SELECT * FROM billing_usagerow WHERE asked_model = ?"
            for row in self.gateway.rows(sql, model):
                return row
            time.sleep(0.05)
        raise AssertionError(f"{model} was not booked")


@pytest.fixture(scope="module")
def shop(gateway: Gateway) -> Iterator[Shop]:
    with Upstream() as up:
        slug = gateway.provider(up, [*MODELS, UNPRICED])
        gateway.provider(up, CLAUDES, slug=f"{slug}-native", adapter="anthropic")
        names = [[row["id"] for row in rows] for rows in (MODELS, CLAUDES)]
        yield Shop(gateway, up, *names)


def test_every_bucket_is_booked_at_its_price(shop: Shop) -> None:
    model = shop.model(Chat(usage=USED))
    assert shop.ask(model).status_code == 200
    row = shop.booked(model)
    counted = [row[f"{name}_tokens"] for name in ("prompt", "cached", "cache_write")]
    assert counted == [100, 40, 10]
    assert (row["completion_tokens"], row["reasoning_tokens"], row["searches"]) == (20, 5, 2)
    assert (row["cost_nano"], row["provider_cost_nano"]) == (COST, COST)
    assert (row["reported_cost_nano"], row["price_source"]) == (5 * 10**8, "manual")
    prices = json.loads(row["unit_prices"])
    assert (prices["cached_input"], prices["reasoning"]) == (300_000, 15_000_000)
    sql = "SELECT input_price, source FROM catalog_pricerecord WHERE id = ?"
    [record] = shop.gateway.rows(sql, row["price_id"])
    assert (float(record["input_price"]), record["source"]) == (3, "manual")


def test_a_long_prompt_is_booked_at_its_tier(shop: Shop) -> None:
    model = shop.model(Chat(usage={"prompt_tokens": 1001, "completion_tokens": 0}))
    assert shop.ask(model).status_code == 200
    assert shop.booked(model)["cost_nano"] == 1001 * 6000 + 10**6


def test_the_plans_markup_is_on_the_customers_price_alone(shop: Shop) -> None:
    plan = {"plans": {"dear": {"markup": "1.5"}}}
    shop.gateway.apply({"version": 1, **plan})
    key = shop.gateway.issue_key("dear account", "10", "--plan", "dear")
    model = shop.model(Chat(usage=USED))
    told = shop.ask(model, key, **ASKED).json()["usage"]
    row = shop.booked(model)
    assert (row["cost_nano"], row["provider_cost_nano"]) == (COST * 3 // 2, COST)
    assert (float(row["markup"]), told["cost"]) == (1.5, COST * 3 // 2 / 10**9)


def test_a_whole_answer_tells_its_cost_to_who_asks(shop: Shop) -> None:
    model = shop.model(Chat(usage=USED))
    told = shop.ask(model, **ASKED).json()["usage"]
    assert told == {**USED, **TOLD}
    assert shop.booked(model)["cost_nano"] == COST
    (seen,) = [seen for seen in shop.up.requests if seen.model == model]
    assert "usage" not in seen.fields


@pytest.mark.parametrize("rest", [{}, {"usage": None}, {"usage": {"include": False}}])
def test_nobody_else_is_told(shop: Shop, rest: dict[str, Any]) -> None:
    model = shop.model(Chat(usage=USED))
    assert shop.ask(model, **rest).json()["usage"] == USED
    chunks = events(shop.ask(model, stream=True, **rest).content)
    assert not any(chunk.get("usage") for chunk in chunks)


def test_the_last_chunk_of_a_stream_tells_its_cost_to_who_asks(shop: Shop) -> None:
    model = shop.model(Chat(usage=USED))
    found = events(shop.ask(model, stream=True, **ASKED).content)
    assert found[-1]["choices"] == []
    assert found[-1]["usage"] == {**USED, **TOLD}
    assert not any(chunk.get("usage") for chunk in found[:-1])
    assert shop.booked(model)["cost_nano"] == COST


NATIVE = {
    "input_tokens": 50,
    "output_tokens": 20,
    "cache_read_input_tokens": 40,
    "cache_creation_input_tokens": 10,
    "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
}
NATIVE_COST = 50 * 3000 + 40 * 300 + 6 * 3750 + 4 * 6000 + 20 * 15_000 + 10**6


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_cache_is_booked_and_told_by_lifetime(shop: Shop, stream: bool) -> None:
    model = shop.model(Messages(usage=NATIVE))
    answer = shop.ask(model, stream=stream, **ASKED)
    usage = (events(answer.content)[-1] if stream else answer.json())["usage"]
    assert (usage["prompt_tokens"], usage["cost"]) == (100, NATIVE_COST / 10**9)
    row = shop.booked(model)
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"]) == (6, 4)
    assert row["cost_nano"] == NATIVE_COST


def test_a_wrong_wish_for_usage_is_named(shop: Shop) -> None:
    answer = shop.ask(MODELS[0]["id"], usage=True)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "usage"


def test_nonsense_in_a_report_is_an_estimate_and_no_error(shop: Shop) -> None:
    model = shop.model(Chat("x" * 40, usage={"prompt_tokens": -1, "completion_tokens": "many"}))
    assert shop.ask(model, **ASKED).status_code == 200
    row = shop.booked(model)
    assert (row["usage_source"], row["completion_tokens"]) == ("estimated", 10)


def test_a_picture_is_not_estimated_by_its_bytes(shop: Shop) -> None:
    model = shop.model(Chat("x", usage=None))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    assert shop.ask(model, messages=[{"role": "user", "content": content}]).status_code == 200
    row = shop.booked(model)
    assert (row["usage_source"], row["image_input_tokens"]) == ("estimated", 3000)
    assert row["prompt_tokens"] < 3200


def test_what_has_no_price_costs_the_plans_default_and_is_booked_as_such(shop: Shop) -> None:
    shop.up.models["acme/unpriced"] = Chat(usage=USED)
    told = shop.ask("acme/unpriced", **ASKED).json()["usage"]
    row = shop.booked("acme/unpriced")
    assert row["cost_nano"] == 100 * 10_000 + 20 * 40_000
    assert (row["price_source"], row["price_id"]) == ("default", None)
    assert told["cost"] == row["cost_nano"] / 10**9


def test_a_plan_can_refuse_what_has_no_price(shop: Shop) -> None:
    shop.gateway.apply({"version": 1, "plans": {"strict": {"unpriced": "refuse"}}})
    key = shop.gateway.issue_key("strict account", "10", "--plan", "strict")
    answer = shop.ask("acme/unpriced", key)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "model_not_available"
    assert "is not known, and this plan refuses what has no price" in error["message"]
    bearer = {"Authorization": f"Bearer {key}"}
    query = {"model": "acme/unpriced"}
    story = shop.gateway.http.get("/v1/explain", params=query, headers=bearer).json()
    assert story["error"]["code"] == "model_not_available"
    assert [s["outcome"] for s in story["steps"] if s["rule"] == "price"] == [
        "not known: the plan refuses"
    ]


def test_the_catalogue_shows_prices_with_their_tiers(shop: Shop) -> None:
    row = shop.gateway.http.get(f"/v1/models/{MODELS[0]['id']}").json()
    assert row["pricing"]["overrides"] == [{"min_prompt_tokens": 1000, "prompt": "0.000006"}]
    assert row["pricing"]["input_cache_write_1h"] == "0.000006"
    assert row["price_source"] == "manual"
    unpriced = shop.gateway.http.get("/v1/models/acme/unpriced/endpoints").json()
    (offer,) = unpriced["data"]["endpoints"]
    assert (offer["pricing"], offer["price_source"]) == ({"prompt": None, "completion": None}, None)

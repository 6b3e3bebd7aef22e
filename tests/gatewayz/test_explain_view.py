"""GET /v1/explain: a key sees its own view, staff see all of it."""

from typing import Any

import httpx
import pytest

from tests.gatewayz.conftest import LLAMA, Town
from tests.gatewayz.test_names import allow
from tests.world.browser import Browser


def story(client: httpx.Client, status: int = 200, **asked: str) -> dict[str, Any]:
    answer = client.get("/v1/explain", params=asked, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.text
    return answer.json()


def places(told: dict[str, Any]) -> list[str]:
    return [f"{route['upstream_id']} at {route['provider']}" for route in told["routes"]]


def test_a_key_sees_its_own_routes_without_the_operators_credentials(town: Town) -> None:
    told = story(town.gateway.http, model=f"hf/{LLAMA}")
    assert places(told) == [f"{LLAMA}:hf-inference at huggingface"]
    assert told["error"] is None
    rewrites = [step["outcome"] for step in told["steps"] if step["rule"].startswith("rewrite")]
    assert rewrites == [f"{LLAMA} → {LLAMA}:hf-inference"]
    assert "credential" not in str(told)
    assert town.sent(f"hf/{LLAMA}") == places(told)[0]


def test_what_a_key_may_not_use_is_told_so(town: Town) -> None:
    key = town.gateway.issue_key("tests", "1")
    allow(town, key, [], ["groq"])
    client = httpx.Client(base_url=town.gateway.url, headers={"x-api-key": key}, trust_env=False)
    assert places(story(client, model=LLAMA)) == ["llama-3.3-70b-versatile at groq"]
    told = story(client, model=LLAMA, provider="hug")
    assert told["error"]["code"] == "model_not_allowed"


def test_staff_see_credentials_and_other_keys_views(town: Town) -> None:
    key = town.gateway.issue_key("tests", "1")
    allow(town, key, [], ["huggingface"])
    admin = Browser(town.gateway)
    told = story(admin.http, model=LLAMA)
    assert [route["provider"] for route in told["routes"]] == ["groq", "huggingface"]
    assert all(route["credential"] for route in told["routes"])
    narrow = story(admin.http, model=LLAMA, key_id=key.split("_")[2])
    assert [route["provider"] for route in narrow["routes"]] == ["huggingface"]
    assert story(admin.http, 400, model=LLAMA, key_id="nobody")["error"]["param"] == "key_id"
    page = admin.http.get("/v1/explain", params={"model": LLAMA})
    assert page.headers["content-type"].startswith("text/html")
    admin.close()


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_nobody_else_sees_anything(town: Town, accept: str) -> None:
    asked = {"model": LLAMA}
    for headers in ({}, {"Authorization": "Bearer gwz_live_no_such"}, {"Cookie": "sessionid=x"}):
        answer = httpx.get(
            f"{town.gateway.url}/v1/explain",
            params=asked,
            headers={"Accept": accept, **headers},
            trust_env=False,
        )
        assert answer.status_code == 401
        assert "groq" not in answer.text


def test_a_model_must_be_named(town: Town) -> None:
    assert story(town.gateway.http, 400)["error"]["param"] == "model"
    assert story(town.gateway.http, 400, model="x" * 300)["error"]["param"] == "model"

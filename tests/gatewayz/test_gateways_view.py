"""The gateways by all their names, their counts and health, and the offers of a model."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gatewayz.conftest import ARCH, LLAMA, Town
from tests.world.config import provider_row, unique
from tests.world.gateway import Gateway

HF_NAMES = ("huggingface", "hug", "hf", "HF", "Hugging_Face")


def get(town: Town, path: str, status: int = 200, **asked: Any) -> Any:
    answer = httpx.get(town.gateway.url + path, params=asked, trust_env=False, timeout=30)
    assert answer.status_code == status, answer.text
    return answer.json()


def by(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {row[name]: row for row in rows}


def test_gateways_are_listed_with_their_names_and_state(town: Town) -> None:
    rows = by(get(town, "/v1/gateways")["data"], "slug")
    hub = rows["huggingface"]
    assert hub["status"] == "ready"
    assert {"hug", "hf"} <= set(hub["aliases"])
    assert hub["models"] == get(town, "/v1/models", gateway="hug")["total"] == 2
    assert rows["cerebras"]["status"] in ("no_credential", "disabled")
    assert rows["cerebras"]["models"] == 0
    assert list(rows) == sorted(rows)


def test_states_of_gateways(town: Town) -> None:
    slug = unique("idle")

    def state(**config: Any) -> str:
        row = provider_row("https://idle.example/v1", private_network=False, **config)
        town.gateway.apply({"version": 1, "providers": {slug: row}})
        return by(get(town, "/v1/gateways")["data"], "slug")[slug]["status"]

    assert state(credentials=[{"env": "NOBODY_SETS_THIS"}]) == "no_credential"
    assert state() == "empty"
    assert state(enabled=False) == "disabled"


def test_counts_are_what_the_command_prints(town: Town) -> None:
    counts = get(town, "/v1/gateways/counts")
    rows = by(counts["data"], "gateway")
    hub = rows["huggingface"]
    assert (hub["total"], hub["unique"], hub["duplicates"]) == (3, 3, 0)
    printed = json.loads(town.gateway.manage("gateway_counts", "--json", check=False))
    names = ("gateway", "total", "unique", "duplicates", "status")
    assert counts["data"] == [{name: row[name] for name in names} for row in printed]
    for name in names[1:4]:
        assert counts["totals"][name] == sum(row[name] for row in printed)


def test_a_saved_row_counts_at_once(town: Town) -> None:
    slug = unique("counted")

    def total() -> int:
        rows: list[dict[str, Any]] = get(town, "/v1/gateways/counts")["data"]
        found: int = by(rows, "gateway")[slug]["total"]
        return found

    town.gateway.provider("http://127.0.0.1:9/v1", [unique("one")], slug)
    assert total() == 1
    town.gateway.provider("http://127.0.0.1:9/v1", [unique("two")], slug)
    assert total() == 2


@pytest.mark.parametrize("name", HF_NAMES)
def test_health_is_found_by_every_name(town: Town, name: str) -> None:
    health = get(town, f"/health/{name}")
    assert health["gateway"] == "huggingface"
    assert (health["status"], health["models_cached"]) == ("ready", 3)
    assert {"hug", "hf"} <= set(health["aliases"])
    assert {"last_sync", "last_success"} <= health.keys()


def test_an_unknown_gateways_health_is_refused_with_the_valid_ones(town: Town) -> None:
    problem = get(town, "/health/hugs", 400)["error"]
    assert problem["code"] == "unknown_provider"
    assert "huggingface" in problem["metadata"]["valid"]


def test_a_models_offers(town: Town) -> None:
    for name in (LLAMA, LLAMA.lower(), "town-llama", f"{LLAMA}:floor"):
        data = get(town, f"/v1/models/{name}/endpoints")["data"]
        assert data["id"] == LLAMA
        assert [row["tag"] for row in data["endpoints"]] == ["groq", "huggingface"]
    groq, hub = data["endpoints"]
    assert hub["pricing"] == {"prompt": "0.0000009", "completion": "0.0000009"}
    assert groq["upstream_id"] == "llama-3.3-70b-versatile"
    assert (groq["status"], groq["reason"]) == (0, None)
    for name in ("uptime_last_5m", "uptime_last_30m", "uptime_last_1d", "latency_last_30m"):
        assert groq[name] is None
    pinned = get(town, f"/v1/models/hf/{LLAMA}/endpoints")["data"]["endpoints"]
    assert [row["tag"] for row in pinned] == ["huggingface"]
    assert get(town, "/v1/models/qwen3:14b/endpoints")["data"]["id"] == "qwen3:14b"


def test_an_offer_that_does_not_serve_says_why(town: Town) -> None:
    model, good, bad = unique("twice"), unique("good"), unique("bad")
    for slug in (good, bad):
        town.gateway.provider("http://127.0.0.1:9/v1", [model], slug)
    block = {"pattern": model, "provider": bad, "reason": "garbled answers"}
    town.gateway.apply({"version": 1, "blocks": [block]})
    first, second = get(town, f"/v1/models/{model}/endpoints")["data"]["endpoints"]
    assert (first["tag"], first["status"]) == (good, 0)
    assert (second["tag"], second["status"]) == (bad, -10)
    assert second["reason"] == "blocked: garbled answers"


def test_offers_of_what_cannot_be_called_are_refused_as_a_request_is(town: Town) -> None:
    problem = get(town, f"/v1/models/{ARCH}/endpoints", 404)["error"]
    assert problem["code"] == "model_not_available"
    assert problem["metadata"]["reason"] == "blocked: router model, not chat"
    assert get(town, "/v1/models/nobody/endpoints", 404)["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    "path",
    ["/v1/gateways", "/v1/gateways/counts", "/health/hug", f"/v1/models/{LLAMA}/endpoints"],
)
def test_a_browser_gets_pages(town: Town, path: str) -> None:
    html = {"Accept": "text/html"}
    page = httpx.get(town.gateway.url + path, headers=html, trust_env=False, timeout=30)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "huggingface" in page.text


@pytest.mark.timeout(60)
def test_an_operator_may_want_a_key_for_lists_and_health(
    gateways: Callable[..., Gateway],
) -> None:
    served = gateways(env={"GATEWAYZ_PUBLIC_LISTINGS": "false"})
    for path in ("/v1/models", "/v1/gateways", "/v1/gateways/counts", "/health", "/health/hug"):
        assert served.fresh(path).status_code == 401, path
        assert served.http.get(path).status_code == 200, path
    assert served.fresh("/livez").status_code == 200
    assert served.fresh("/readyz").status_code == 200

"""GET /v1/models and one of them: every name of a provider gives the same bytes."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.gatewayz.conftest import ARCH, LLAMA, OSS, Town


def get(town: Town, path: str, status: int = 200, **asked: Any) -> Any:
    answer = town.gateway.http.get(path, params=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_name_of_a_provider_lists_the_same_bytes(town: Town) -> None:
    asked = [{"gateway": name} for name in ("huggingface", "hug", "HF", "hugging_face")]
    asked += [{"provider": "hug"}]
    pages = {town.gateway.http.get("/v1/models", params=one).content for one in asked}
    assert len(pages) == 1
    page = get(town, "/v1/models", gateway="hug")
    assert page["gateway"] == "huggingface"
    assert [row["id"] for row in page["data"]] == [LLAMA, OSS]
    assert {row["provider_slug"] for row in page["data"]} == {"huggingface"}


def test_a_list_is_cut_by_limit_and_offset(town: Town) -> None:
    whole = get(town, "/v1/models", gateway="groq")
    assert (whole["limit"], whole["offset"], whole["has_more"]) == (None, 0, False)
    assert whole["total"] == whole["returned"] == len(whole["data"]) == 4
    part = get(town, "/v1/models", gateway="groq", limit=2, offset=1)
    assert part["data"] == whole["data"][1:3]
    assert (part["total"], part["returned"], part["has_more"]) == (4, 2, True)
    beyond = get(town, "/v1/models", gateway="groq", offset=99)
    assert (beyond["data"], beyond["total"], beyond["has_more"]) == ([], 4, False)
    assert get(town, "/v1/models", limit=50_000)["limit"] == 50_000
    assert get(town, "/v1/models", 400, limit=50_001)["error"]["param"] == "limit"


@pytest.mark.parametrize("value", ["-1", "9999999999", "ten", "", "1.5", "²"])
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_a_wrong_number_is_refused_by_name(town: Town, name: str, value: str) -> None:
    problem = get(town, "/v1/models", 400, **{name: value})["error"]
    assert (problem["code"], problem["param"]) == ("invalid_request", name)


def test_a_provider_without_models_is_an_empty_list(town: Town) -> None:
    page = get(town, "/v1/models", gateway="cerebras")
    assert (page["data"], page["total"], page["gateway"]) == ([], 0, "cerebras")


@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{LLAMA}"])
def test_an_unknown_provider_is_refused_with_the_valid_ones(town: Town, path: str) -> None:
    problem = get(town, path, 400, gateway="hugs")["error"]
    assert problem["code"] == "unknown_provider"
    assert "huggingface" in problem["metadata"]["valid"]


def test_one_model_is_found_by_every_name(town: Town) -> None:
    for name in (LLAMA, LLAMA.lower(), "town-llama", f"{LLAMA}:floor", quote(LLAMA, safe="")):
        row = get(town, f"/v1/models/{name}")
        assert row["id"] == LLAMA
        assert row["gateways"] == ["groq", "huggingface"]
    at_hf = [get(town, f"/v1/models/{head}/{LLAMA}") for head in ("hf", "hug", "huggingface")]
    at_hf += [get(town, f"/v1/models/{LLAMA}", gateway=name) for name in ("hf", "HUG")]
    assert all(row == at_hf[0] for row in at_hf)
    assert at_hf[0]["gateways"] == ["huggingface"]
    assert get(town, "/v1/models/qwen3:14b")["gateways"] == ["ollama"]


def test_one_model_that_cannot_be_called_says_why(town: Town) -> None:
    problem = get(town, f"/v1/models/{ARCH}", 404)["error"]
    assert problem["code"] == "model_not_available"
    assert problem["metadata"]["reason"] == "blocked: router model, not chat"
    elsewhere = get(town, "/v1/models/town/gpt", 404, gateway="groq")["error"]
    assert elsewhere["metadata"]["alternatives"] == ["openai"]
    unknown = get(town, "/v1/models/town/gtp", 404)["error"]
    assert unknown["code"] == "model_not_found"
    assert unknown["metadata"]["suggestions"][0] == "town/gpt"


def test_a_hidden_model_answers_but_is_not_listed(town: Town) -> None:
    town.gateway.apply({"version": 1, "models": {"town/gpt": {"hidden": True}}})
    try:
        assert town.sent("town/gpt") == "gpt-4o at openai"
        assert "town/gpt" not in [row["id"] for row in get(town, "/v1/models")["data"]]
        assert get(town, "/v1/models/town/gpt")["id"] == "town/gpt"
        assert "town/gpt" not in town.refused("town/gpd")[1]["message"]
    finally:
        town.gateway.apply({"version": 1, "models": {"town/gpt": {"hidden": False}}})

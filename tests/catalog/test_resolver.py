"""Which offers are used, in which order, and what is said when none is."""

from dataclasses import replace

import pytest

from catalog.asks import Permissions, Preferences
from catalog.resolver import resolve
from catalog.values import Block
from providers.errors import (
    GatewayError,
    ModelNotAllowed,
    ModelNotAvailable,
    ModelNotFound,
    NoProviderAvailable,
    UnknownProvider,
)
from tests.catalog.town import LLAMA, NOW, OSS, TOWN, ask, routes, sent


def slugs(model: str, **wanted: object) -> list[str]:
    found = resolve(TOWN, ask(model, wanted=Preferences(**wanted)), now=NOW)
    return [route.endpoint.slug for route in found]


def refused(model: str, provider: str = "", **config: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sent(model, provider, **config)
    return caught.value


def test_variants_order_by_what_they_promise() -> None:
    assert [r.endpoint.slug for r in routes(f"{OSS}:floor")] == ["groq", "huggingface"]
    assert [r.endpoint.slug for r in routes(f"{LLAMA}:nitro")] == ["groq", "huggingface"]
    assert slugs(LLAMA, order=("hf",)) == ["huggingface", "groq"]


def test_lower_priority_goes_first_and_ties_fall_to_the_slug() -> None:
    assert slugs(LLAMA) == ["groq", "huggingface"]
    first = replace(TOWN.endpoints["huggingface"], priority=10)
    town = replace(TOWN, endpoints={**TOWN.endpoints, "huggingface": first})
    found = resolve(town, ask(LLAMA), now=NOW)
    assert [route.endpoint.slug for route in found] == ["huggingface", "groq"]


def test_the_requests_sort_wins_over_the_variant() -> None:
    found = resolve(TOWN, ask(f"{LLAMA}:nitro", wanted=Preferences(sort="price")), now=NOW)
    assert [route.endpoint.slug for route in found] == ["groq", "huggingface"]


def test_openrouters_provider_object_is_kept() -> None:
    assert slugs(LLAMA, only=("HUG",)) == ["huggingface"]
    assert slugs(LLAMA, only=("hf", "groq")) == ["groq", "huggingface"]
    assert slugs(LLAMA, ignore=("groq",)) == ["huggingface"]
    assert slugs(LLAMA, order=("hug",), allow_fallbacks=False) == ["huggingface"]
    assert slugs(LLAMA, allow_fallbacks=False) == ["groq"]
    assert slugs(LLAMA, sort="throughput") == ["groq", "huggingface"]
    assert slugs(LLAMA, max_price=(("prompt", 600_000),)) == ["groq"]


def test_a_price_that_is_not_known_is_above_every_limit() -> None:
    assert slugs(OSS, max_price=(("completion", 10**9),)) == ["groq"]


def test_an_unknown_provider_is_told_with_the_valid_ones() -> None:
    for wanted in ({"only": ("hugs",)}, {"order": ("hugs",)}, {"ignore": ("hugs",)}):
        with pytest.raises(UnknownProvider) as caught:
            slugs(LLAMA, **wanted)
        assert caught.value.metadata["valid"] == sorted(TOWN.endpoints)


def test_fallback_names_follow_the_first_and_nothing_is_tried_twice() -> None:
    groq, hf = sent(LLAMA)
    assert sent("gpt-4o", models=(LLAMA,)) == ["gpt-4o at openai", groq, hf]
    assert sent(LLAMA, models=(LLAMA, "llama", "hf-llama")) == [groq, hf]
    assert sent("nobody", models=("gpt-4o",)) == ["gpt-4o at openai"]


def test_of_a_fallback_list_the_first_names_problem_is_told() -> None:
    assert isinstance(refused("nobody", models=("katanemo/Arch-Router-1.5B",)), ModelNotFound)
    assert refused("katanemo/Arch-Router-1.5B", models=("nobody",)).code == "model_not_available"


def test_a_blocked_model_says_why_and_where_the_list_is() -> None:
    problem = refused("katanemo/Arch-Router-1.5B")
    assert (problem.status, problem.code) == (404, "model_not_available")
    assert problem.metadata["reason"] == "blocked: router model, not chat"
    assert problem.metadata["list"] == "/v1/models"
    assert sent("gpt-4o") == ["gpt-4o at openai"], "that block has expired"


@pytest.mark.parametrize("name", ["hf/katanemo/New", "hf/KATANEMO/new:groq"])
def test_a_block_holds_for_ids_that_are_not_listed_with_a_suffix_too(name: str) -> None:
    assert refused(name).metadata["reason"] == "blocked: router model, not chat"


def test_a_block_of_an_exact_id_holds_for_its_suffixed_forms() -> None:
    town = replace(TOWN, blocks=(Block(1, "new/model", None, "no"), Block(2, LLAMA, None, "no")))
    for name in (f"{LLAMA}:groq", "hf/new/model:groq", "hf/new/model"):
        with pytest.raises(ModelNotAvailable):
            resolve(town, ask(name), now=NOW)


def test_a_block_at_one_provider_leaves_the_others() -> None:
    town = replace(TOWN, blocks=(Block(1, "meta-llama/*", "groq", "too old there"),))
    (route,) = resolve(town, ask(LLAMA), now=NOW)
    assert route.endpoint.slug == "huggingface"
    with pytest.raises(ModelNotAvailable) as caught:
        resolve(town, ask(f"groq/{LLAMA}"), now=NOW)
    assert caught.value.metadata["reason"] == "blocked: too old there"
    assert caught.value.metadata["alternatives"] == ["huggingface"]


def test_a_known_model_at_a_provider_that_does_not_serve_it_names_those_that_do() -> None:
    for problem in (refused("openai/meta-llama/Llama-3.3-70B-Instruct"), refused(LLAMA, "openai")):
        assert problem.code == "model_not_available"
        assert problem.metadata["alternatives"] == ["groq", "huggingface"]
        assert "openai does not serve it" in problem.message


@pytest.mark.parametrize(
    ("may", "model", "allowed"),
    [
        (Permissions(models=("gpt-*",)), "gpt-4o", True),
        (Permissions(models=("gpt-*",)), LLAMA, False),
        (Permissions(models=("gpt-*",)), f"hf/{LLAMA}:groq", False),
        (Permissions(models=("gpt-*",)), "llama", False),
        (Permissions(models=("gpt-*",)), "hf/new/model", False),
        (Permissions(providers=frozenset({"groq"})), LLAMA, True),
        (Permissions(providers=frozenset({"openai"})), LLAMA, False),
        (Permissions(providers=frozenset({"groq"})), f"hf/{LLAMA}", False),
    ],
)
def test_a_key_gets_only_what_it_may_use(may: Permissions, model: str, allowed: bool) -> None:
    if allowed:
        providers = {route.endpoint.slug for route in routes(model, may=may)}
        assert not may.providers or providers <= may.providers
    else:
        problem = refused(model, may=may)
        assert isinstance(problem, ModelNotAllowed)
        assert problem.status == 403


def test_what_is_off_or_of_another_kind_is_not_available() -> None:
    assert "is switched off" in refused("gone/away").message
    assert "it serves embeddings, not this" in refused("embedder").message
    assert [r.endpoint.slug for r in routes("embedder", endpoint="embeddings")] == ["openai"]


def test_a_missing_credential_is_the_operators_to_mend() -> None:
    problem = refused("locked/up")
    assert isinstance(problem, NoProviderAvailable)
    assert problem.status == 503


def test_suggestions_keep_to_what_the_key_may_use_and_what_is_not_hidden() -> None:
    assert refused("gpt-4p").metadata["suggestions"] == ["gpt-4o"]
    may = Permissions(models=("meta-llama/*",))
    assert refused("gpt-4p", may=may).metadata["suggestions"] == []
    assert "gpt-4o-secret" not in refused("gpt-4o-secrets").metadata["suggestions"]


def test_a_route_remembers_the_name_that_was_asked() -> None:
    (route, _) = routes("llama")
    assert (route.asked, route.model_id) == ("llama", LLAMA)
    assert [r.asked for r in routes("gpt-4o", models=("hf-llama",))] == ["gpt-4o", "hf-llama"]

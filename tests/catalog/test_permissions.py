"""What a key may use: its own lists and its plan's, and what a test key reaches."""

from dataclasses import replace

import pytest

from catalog.asks import EVERYTHING, Ask, Permissions
from catalog.listing import View
from catalog.resolver import resolve
from catalog.values import Snapshot
from providers.errors import ModelNotAllowed
from providers.values import FREE
from tests.catalog.town import NOW, endpoint, offer, snapshot

GPT, LLAMA = "openai/gpt", "meta/llama"
GROQ, HUB = endpoint("groq", allow_unlisted=True), endpoint("hub")
ECHO = replace(endpoint("echo"), adapter="echo")
MARKET = snapshot(
    {GROQ: (), HUB: (), ECHO: ()},
    [
        offer(GPT, "groq"),
        offer(GPT, "hub", "their/gpt"),
        offer(LLAMA, "hub"),
        offer("echo", "echo"),
        offer("dear", "echo"),
    ],
)
ALL = {(GPT, "groq"), (GPT, "hub"), (LLAMA, "hub"), ("echo", "echo"), ("dear", "echo")}
GPTS = {(GPT, "groq"), (GPT, "hub")}
AT_HUB = {(GPT, "hub"), (LLAMA, "hub")}
PLAN = Permissions(denied_providers=frozenset({"hub"}))

MAY: dict[str, tuple[Permissions, set[tuple[str, str]]]] = {
    "everything": (EVERYTHING, ALL),
    "a denied model": (
        Permissions(denied_models=("openai/*",)),
        ALL - GPTS,
    ),
    "in any case": (Permissions(denied_models=("OPENAI/*",)), ALL - GPTS),
    "by the provider's own id": (Permissions(denied_models=("their/*",)), ALL - {(GPT, "hub")}),
    "a denial wins": (
        Permissions(models=("*",), denied_models=(GPT,)),
        ALL - GPTS,
    ),
    "a denied provider": (
        Permissions(denied_providers=frozenset({"hub"})),
        ALL - AT_HUB,
    ),
    "allowed and denied": (
        Permissions(providers=frozenset({"groq", "hub"}), denied_providers=frozenset({"hub"})),
        {(GPT, "groq")},
    ),
    "the plan's denial": (Permissions(models=(GPT, LLAMA), plan=PLAN), {(GPT, "groq")}),
    "both permissions": (
        Permissions(models=(GPT,), plan=Permissions(models=(LLAMA,))),
        set(),
    ),
    "a test key": (Permissions(test=True), {("echo", "echo"), ("dear", "echo")}),
    "a test key's lists": (Permissions(models=("echo", GPT), test=True), {("echo", "echo")}),
}


def reached(may: Permissions, model: str) -> set[tuple[str, str]]:
    try:
        routes = resolve(MARKET, Ask(model, permissions=may), now=NOW)
    except ModelNotAllowed:
        return set()
    return {(route.model_id, route.endpoint.slug) for route in routes}


@pytest.mark.parametrize("name", MAY)
def test_requests_and_lists_agree_on_what_a_key_may(name: str) -> None:
    may, expected = MAY[name]
    models = {model for model, _ in ALL}
    assert {pair for model in models for pair in reached(may, model)} == expected
    listed = {
        (entry.model.id, offered.slug)
        for entry in View(MARKET, may, None, NOW).entries()
        for offered in entry.offers
    }
    assert listed == expected


def test_a_suffix_does_not_lead_around_a_denial() -> None:
    denied = Permissions(denied_models=("new/model",))
    for name in ("groq/new/model", "groq/new/model:fast", "groq/NEW/Model"):
        with pytest.raises(ModelNotAllowed):
            resolve(MARKET, Ask(name, permissions=denied), now=NOW)
    assert resolve(MARKET, Ask("groq/new/model-2", permissions=denied), now=NOW)


def test_a_test_keys_routes_are_free_and_others_keep_their_price() -> None:
    [free] = resolve(MARKET, Ask("dear", permissions=Permissions(test=True)), now=NOW)
    [paid] = resolve(MARKET, Ask("dear"), now=NOW)
    assert free.price == FREE
    assert paid.price != FREE


def test_the_refusal_says_that_the_key_is_for_tests() -> None:
    with pytest.raises(ModelNotAllowed, match="Test keys reach only the built-in echo"):
        resolve(MARKET, Ask(GPT, permissions=Permissions(test=True)), now=NOW)


def test_nothing_is_allowed_where_nothing_is_there() -> None:
    assert not list(View(Snapshot(), EVERYTHING, None, NOW).entries())

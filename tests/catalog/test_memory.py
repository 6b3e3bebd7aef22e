"""What was resolved once is not resolved again, for as long as it would come out the same."""

from dataclasses import replace

import pytest

from catalog.asks import ANY, Permissions, Preferences
from catalog.explaining import explain
from catalog.resolver import resolve
from catalog.values import HALF_OPEN_S, Block, Snapshot
from providers.errors import ModelNotAllowed, ModelNotAvailable
from tests.catalog.town import LLAMA, NOW, TOWN, ask

PLAIN = ask(LLAMA, wanted=ANY)
UNTIL = NOW + 60


@pytest.fixture
def town() -> Snapshot:
    return replace(TOWN, blocks=(Block(7, "meta-llama/*", "groq", "odd answers", UNTIL),))


def met(town: Snapshot, now: float) -> tuple[list[str], set[int]]:
    """Return where a request goes then, and the block rules that it meets."""
    hits: set[int] = set()
    routes = resolve(town, PLAIN, now=now, hits=hits)
    return [route.endpoint.slug for route in routes], hits


def test_the_same_ask_gets_the_same_routes(town: Snapshot) -> None:
    assert resolve(town, PLAIN, now=NOW) is resolve(town, PLAIN, now=NOW + 1)


def test_each_request_counts_for_the_block_rule_that_it_meets(town: Snapshot) -> None:
    assert met(town, NOW) == met(town, NOW + 1) == (["huggingface"], {7})


def test_routes_are_forgotten_when_a_block_rule_turns(town: Snapshot) -> None:
    before = resolve(town, PLAIN, now=UNTIL - 1)
    assert resolve(town, PLAIN, now=UNTIL + 1) is not before
    assert met(town, UNTIL + HALF_OPEN_S - 1) == (["huggingface"], {7})
    assert met(town, UNTIL + HALF_OPEN_S + 1) == (["groq", "huggingface"], set())
    assert met(town, NOW) == (["huggingface"], {7})


def test_another_configuration_remembers_nothing(town: Snapshot) -> None:
    assert met(town, NOW)[0] == ["huggingface"]
    assert met(replace(town, blocks=()), NOW)[0] == ["groq", "huggingface"]


def test_another_keys_routes_are_its_own(town: Snapshot) -> None:
    resolve(town, PLAIN, now=NOW)
    with pytest.raises(ModelNotAllowed):
        resolve(town, replace(PLAIN, permissions=Permissions(models=("gpt-*",))), now=NOW)


def test_a_refusal_is_found_anew(town: Snapshot) -> None:
    blocked = replace(town, blocks=(Block(8, "*", None, "all off"),))
    for _ in range(2):
        hits: set[int] = set()
        with pytest.raises(ModelNotAvailable):
            resolve(blocked, PLAIN, now=NOW, hits=hits)
        assert hits == {8}


def test_what_a_client_wishes_is_not_kept(town: Snapshot) -> None:
    for wish in (ask(LLAMA, wanted=Preferences(sort="price")), replace(PLAIN, models=("gpt-4o",))):
        assert resolve(town, wish, now=NOW) is not resolve(town, wish, now=NOW)


def test_an_explanation_decides_all_of_it_anew(town: Snapshot) -> None:
    resolve(town, PLAIN, now=NOW)
    assert len(explain(town, PLAIN, NOW)["steps"]) > 3

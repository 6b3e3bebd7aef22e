"""The decisions of a sync, as functions of values."""

from decimal import Decimal

import pytest

from catalog.syncs.diffing import Known, diff
from catalog.syncs.facts import Identity, ModelFacts, OfferFacts, Row, merged, per_million
from catalog.syncs.guards import objections
from catalog.syncs.identity import Book, Place, place
from catalog.syncs.likely import Entry, essence, likely
from providers.listings.values import Listed, ListedPrice

D = Decimal


def row(id: str, price: str | None = "1", **facts: object) -> Row:
    offer = OfferFacts(listed_input_price=None if price is None else D(price), **facts)
    return Row(id, offer, ModelFacts(listed_name=id))


def known(id: str, price: str | None = "1", **state: object) -> Known:
    was = row(id, price)
    return Known(1, 1, was.offer, was.model, **state)


def catalogue(*ids: str, **state: object) -> dict[str, Known]:
    return {id: known(id, **state) for id in ids}


def kinds(have: dict[str, Known], *rows: Row) -> list[tuple[str, str]]:
    return [(d.kind, d.upstream_id) for d in diff(have, {r.upstream_id: r for r in rows})]


def test_equal_is_no_difference_whatever_the_order() -> None:
    have = catalogue("a", "b")
    assert kinds(have, row("b"), row("a", price="1.000000000")) == []


def test_each_kind_of_difference() -> None:
    have = catalogue("a", "b", "c") | catalogue("d", missing_runs=2) | catalogue("e", retired=True)
    have |= catalogue("f", by_hand=True) | catalogue("g", retired=True)
    found = kinds(have, row("a", "2", listed_context_length=9), row("b"), row("e"), row("new"))
    assert found == [
        ("price", "a"),
        ("context", "a"),
        ("returned", "e"),
        ("added", "new"),
        ("missing", "c"),
        ("retired", "d"),
    ]


def test_a_difference_says_what_was_and_what_is() -> None:
    (change,) = diff(catalogue("a"), {"a": row("a", "0.15")})
    assert change.before == {"offer": {"listed_input_price": "1"}}
    assert change.after == {"offer": {"listed_input_price": "0.15"}}


def test_another_providers_words_for_the_model_are_left_alone() -> None:
    have = {"a": Known(1, 1, row("a").offer, None)}
    other = Row("a", row("a").offer, ModelFacts(listed_name="Other"))
    assert diff(have, {"a": other}) == []


@pytest.mark.parametrize(
    ("was", "now", "held"), [("1", "10", False), ("1", "10.1", True), ("1", "0.09", True)]
)
def test_a_price_may_move_by_the_factor_and_not_beyond(was: str, now: str, held: bool) -> None:
    have = {"a": known("a", was), "b": known("b")}
    found = diff(have, {"a": row("a", now), "b": row("b")})
    assert bool(objections({"max_price_factor": 10}, have, 2, found)) is held


def test_one_model_may_become_free_but_not_half_of_them() -> None:
    have = catalogue(*"abcdefgh")
    one = {id: row(id, "0" if id == "a" else "1") for id in have}
    assert objections({}, have, 8, diff(have, one)) == []
    half = {id: row(id, "0" if id in "abcd" else "1") for id in have}
    assert objections({}, have, 8, diff(have, half)) == ["4 of 8 priced models become free at once"]


def test_a_price_that_becomes_unknown_is_no_jump() -> None:
    have = catalogue("a", "b", "c")
    found = diff(have, {id: row(id, None) for id in have})
    assert objections({}, have, 3, found) == []


def test_a_new_provider_without_models_is_no_reason() -> None:
    assert objections({}, {}, 0, []) == []
    assert objections({"min_models": 1}, {}, 0, [])


def placed(book: Book, slug: str = "acme", **ids: Identity) -> dict[str, Place | None]:
    return place(slug, [(id.replace("__", "/"), who) for id, who in ids.items()], book)


NOBODY = Identity()


def test_an_id_with_an_organisation_is_its_own_and_another_takes_the_providers_name() -> None:
    found = placed(Book(set()), org__model=NOBODY, model=NOBODY)
    assert found == {
        "org/model": Place("org/model", True),
        "model": Place("acme/model", True),
    }


def test_our_own_id_letter_by_letter_is_the_model() -> None:
    book = Book({"org/model", "Org/Other"})
    found = placed(book, org__model=NOBODY, org__other=NOBODY)
    assert found["org/model"] == Place("org/model")
    assert found["org/other"] == Place("org/other", True)


def test_the_hugging_face_id_is_the_model_under_any_id() -> None:
    who = Identity(hugging_face_id="Org/Repo")
    assert placed(Book({"Org/Repo"}), x__y=who)["x/y"] == Place("Org/Repo")
    book = Book({"first/one"}, {"Org/Repo": "first/one"})
    assert placed(book, x__y=who)["x/y"] == Place("first/one")


def test_a_second_offer_of_one_repository_is_a_model_of_its_own() -> None:
    who = Identity(hugging_face_id="Org/Repo")
    found = place("acme", [("x/y:free", who), ("x/y", who)], Book({"Org/Repo"}))
    assert found == {"x/y": Place("Org/Repo"), "x/y:free": Place("x/y:free", True)}


def test_an_admins_mapping_goes_before_everything() -> None:
    book = Book({"org/model", "ours/best"}, mappings={"org/model": "ours/best"})
    assert placed(book, org__model=NOBODY)["org/model"] == Place("ours/best")


def test_an_id_that_is_an_alias_of_something_else_gets_the_providers_name() -> None:
    book = Book(set(), aliases=frozenset({"org/model"}))
    assert placed(book, org__model=NOBODY)["org/model"] == Place("acme/org/model", True)


def test_nothing_is_matched_by_likeness() -> None:
    book = Book({"meta-llama/Llama-3.3-70B-Instruct"})
    found = placed(book, **{"meta-llama/llama-3.3-70b-instruct": NOBODY})
    assert found["meta-llama/llama-3.3-70b-instruct"].new


def test_likely_matches_are_told_by_the_words_of_their_names() -> None:
    assert essence("meta-llama/Llama-3.3-70B-Instruct") == essence("groq/llama-3.3-70b-versatile")
    assert essence("accounts/fireworks/models/llama-v3p3-70b-instruct") == essence("llama-3.3-70b")
    assert essence("x/qwen3:free") != essence("x/qwen3")
    one = Entry("meta-llama/Llama-3.3-70B-Instruct", frozenset({"hub", "openrouter"}))
    two = Entry("groq/llama-3.3-70b-versatile", frozenset({"groq"}))
    three = Entry("openrouter/llama-3.3-70b", frozenset({"openrouter"}))
    found = [(m.model.model_id, m.other.model_id) for m in likely([two, three, one])]
    assert found == [(one.model_id, two.model_id)]


def test_a_row_of_two_lists_is_completed_not_overwritten() -> None:
    hub = Listed("a", context_length=8, backends=("x",), capabilities=frozenset({"completions"}))
    router = Listed(
        "a",
        context_length=9,
        backends=("x", "y"),
        capabilities=frozenset({"chat"}),
        price=ListedPrice(input=D("1E-6")),
    )
    both = merged(hub, router)
    assert (both.context_length, both.backends) == (8, ("x", "y"))
    assert both.capabilities == {"chat", "completions"}
    assert both.price.input == D("1E-6")


@pytest.mark.parametrize(
    ("per_token", "million"),
    [("0.00000015", "0.15"), ("1.4E-6", "1.4"), ("0", "0"), ("1.23456789012345E-9", "0.001234568")],
)
def test_a_price_per_token_in_dollars_per_million(per_token: str, million: str) -> None:
    assert per_million(D(per_token)) == D(million)

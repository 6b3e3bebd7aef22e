"""Answers that are no list, and rows that are no model."""

import json
from decimal import Decimal

import pytest

from providers.listings.values import ListingError
from tests.providers.listings.world import read

GOOD = {"id": "org/good"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n  <html>", "HTML"),
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"{", "not a list"),
        (b"\xff\xfe", "not a list"),
        (b"[" * 100_000, "bare array|not a list"),
        (
            b'{"data": [' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"]}",
            "no row is usable|not a list",
        ),
        (b'{"data": {}}', "not a list"),
        (b'{"data": null}', "not a list"),
        (b'{"models": []}', "no `data`"),
        (b"[]", "bare array"),
        (b"7", "not a list"),
        (b'{"error": {"message": "Invalid API Key"}}', "Invalid API Key"),
        (b'{"error": "Invalid username or password."}', "Invalid username"),
        (b'{"detail": "Unauthorized"}', "Unauthorized"),
        (b'{"detail": [{"msg": "field required"}]}', "answered: an error"),
        (b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}", "an error|not a list"),
        (b'{"message": "Wrong API Key", "code": "wrong_api_key"}', "Wrong API Key"),
        (b'[{"error": {"code": 400, "message": "API key not valid."}}]', "API key not valid"),
        (b'{"data": [{"name": "x"}, {"name": "y"}]}', "no row is usable; row 1: it has no id"),
    ],
)
def test_what_is_no_list_says_why(body: bytes, said: str) -> None:
    with pytest.raises(ListingError, match=said):
        read("openai", body)


@pytest.mark.parametrize(
    "body", [b'{"error": {"message": "no"}}', b'{"data": []}', b"null", b"<a>"]
)
def test_a_bare_array_is_wanted_where_lists_are_bare(body: bytes) -> None:
    with pytest.raises(ListingError):
        read("together", body)


def test_an_empty_list_is_an_empty_page() -> None:
    for name, answer in (("openai", {"data": []}), ("together", []), ("near", {"models": []})):
        page = read(name, answer)
        assert (page.rows, page.refused, page.next) == ((), (), None)


def test_ollama_without_models_is_empty_and_others_are_not() -> None:
    assert read("ollama", {"object": "list", "data": None}).rows == ()
    with pytest.raises(ListingError):
        read("openai", {"object": "list", "data": None})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("7", "row 2: not an object"),
        ("null", "row 2: not an object"),
        ("{}", "row 2: it has no id"),
        ('{"id": 5}', "row 2: it has no id"),
        ('{"id": ""}', "row 2: it has no id"),
        ('{"id": "a b"}', "row 2: spaces or control characters in its id 'a b'"),
        ('{"id": "a\\u0000"}', "row 2: spaces or control"),
        (json.dumps({"id": "x" * 251}), "row 2: its id is longer than 250 characters"),
        ('{"id": "x\\ud800"}', "row 2: "),
        ('{"id": "x", "n": 1e99999999999999999999}', "row 2: "),
        ('{"id": "x", "n": ' + "9" * 5000 + "}", "row 2: "),
    ],
)
def test_a_bad_row_among_good_ones_is_reported_and_the_good_ones_land(
    bad: str, reason: str
) -> None:
    body = f'{{"data": [{{"id": "org/a"}}, {bad}, {{"id": "org/b"}}]}}'.encode()
    page = read("openai", body)
    assert [row.upstream_id for row in page.rows] == ["org/a", "org/b"]
    (refused,) = page.refused
    assert refused.reason.startswith(reason)
    assert not refused.landed


def test_a_bad_row_is_reported_by_its_id_where_it_has_one() -> None:
    (refused,) = read("openai", {"data": [GOOD, {"id": "org/a b"}]}).refused
    assert refused.upstream_id == "org/a b"


def test_half_a_character_pair_or_a_nan_costs_its_value_only() -> None:
    body = (
        b'{"data": [{"id": "org/a", "name": "cut \\ud83d", "pricing": {"prompt": NaN}}, '
        b'{"id": "org/b", "pricing": {"prompt": 0.1}}, {"id": "\\ud83d"}]}'
    )
    page = read("chutes", body)
    assert [(row.upstream_id, row.name) for row in page.rows] == [("org/a", "cut"), ("org/b", "")]
    assert page.rows[1].price.input == Decimal("1E-7")
    assert [refused.upstream_id for refused in page.refused] == ["org/a", ""]


def test_bytes_that_are_no_text_spoil_their_row_only() -> None:
    body = b'{"data": [{"id": "org/a"}, {"id": "b", "name": "\xff"}]}'
    page = read("openai", body)
    assert [row.upstream_id for row in page.rows] == ["org/a"]
    assert page.refused[0].reason.startswith("row 2: ")


@pytest.mark.parametrize("wrong", ["lots", True, -7, 1.5, 10**12, [], {}, "9" * 30])
def test_a_wrong_value_is_reported_and_the_row_lands_without_it(wrong: object) -> None:
    page = read("openrouter", {"data": [{**GOOD, "context_length": wrong}]})
    assert page.rows[0].context_length is None
    (refused,) = page.refused
    assert (refused.upstream_id, refused.landed) == ("org/good", True)
    assert refused.reason.startswith("context_length: ")


@pytest.mark.parametrize("unknown", [-1, "-1", 0, None])
def test_an_unknown_value_is_nothing_to_report(unknown: object) -> None:
    page = read("openrouter", {"data": [{**GOOD, "context_length": unknown}]})
    assert (page.rows[0].context_length, page.refused) == (None, ())


@pytest.mark.parametrize("written", [131072, "131072", 131072.0])
def test_a_number_may_be_text_or_a_whole_float(written: object) -> None:
    page = read("openrouter", {"data": [{**GOOD, "context_length": written}]})
    assert page.rows[0].context_length == 131072


def test_texts_are_bounded_and_hold_no_control_characters() -> None:
    listed = {**GOOD, "name": "a\u0000b" + "c" * 500, "description": "d\n" * 50_000}
    (found,) = read("openai", {"data": [listed]}).rows
    assert found.name.startswith("a bccc")
    assert (len(found.name), len(found.description) <= 4000) == (250, True)


def test_duplicates_are_left_for_the_sync_to_count() -> None:
    assert len(read("openai", {"data": [GOOD, GOOD]}).rows) == 2

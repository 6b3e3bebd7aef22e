"""Prices of what is neither input nor output, and prices under conditions."""

from typing import Any

import msgspec
import pytest

from catalog.other_prices import BadPrices, checked, read, text_of
from catalog.pricing import pricing
from providers.values import Price, Tier

LONG = {"min_prompt_tokens": 200_000, "input": "6", "output": "22.50"}
NIGHT = {"utc_start": "1630", "utc_end": "0030", "input": "1.5"}


def test_prices_come_into_one_form() -> None:
    given = {"tiers": [LONG, NIGHT], "request": 1, "cache_write": "3.7500", "image": "0"}
    found = checked(given)
    assert list(found) == ["cache_write", "request", "image", "tiers"]
    assert (found["cache_write"], found["request"], found["image"]) == ("3.75", "1", "0")
    assert found["tiers"] == [{**LONG, "output": "22.5"}, NIGHT]
    assert checked(found) == found
    assert checked({"tiers": []}) == {}


BAD: dict[str, tuple[Any, str]] = {
    "no object": ([], "write an object"),
    "a price of its own column": ({"input": "1"}, "input: there is no such price"),
    "negative": ({"request": "-1"}, "request: a price is USD each"),
    "a float": ({"request": 0.1}, "in quotes"),
    "true": ({"request": True}, "in quotes"),
    "too fine by the million": ({"reasoning": "0.1234567"}, "to 6 decimals"),
    "too fine by the piece": ({"image": "0.1234567890123"}, "to 12 decimals"),
    "enormous": ({"image": "1" * 30}, "image: a price"),
    "an exponent": ({"image": "1e3"}, "image: a price"),
    "other digits": ({"image": "١"}, "image: a price"),
    "tiers that are no list": ({"tiers": {}}, "tiers: write a list"),
    "too many tiers": ({"tiers": [LONG] * 25}, "tiers: write a list of at most 24"),
    "a tier that is no object": ({"tiers": [1]}, "tiers[0]: write an object"),
    "a tier without a price": ({"tiers": [{"min_prompt_tokens": 1}]}, "at least one price"),
    "a tier without a condition": ({"tiers": [LONG, {"input": "1"}]}, "tiers[1]: a tier has a"),
    "an unknown condition": ({"tiers": [{**LONG, "weekday": 1}]}, "tiers[0].weekday: there is no"),
    "a size of text": ({"tiers": [{**LONG, "min_prompt_tokens": "1"}]}, "a whole number"),
    "half a window": ({"tiers": [{"utc_start": "0000", "input": "1"}]}, "a window has"),
    "an empty window": (
        {"tiers": [{"utc_start": "0100", "utc_end": "0100", "input": "1"}]},
        "that differ",
    ),
    "no time": (
        {"tiers": [{"utc_start": "2400", "utc_end": "0100", "input": "1"}]},
        "tiers[0].utc_start: a time of day",
    ),
}


@pytest.mark.parametrize(("given", "complaint"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_by_its_place(given: Any, complaint: str) -> None:
    with pytest.raises(BadPrices) as caught:
        checked(given)
    assert complaint in str(caught.value)


def test_equal_prices_have_one_text_and_come_back_exact() -> None:
    given = {"cache_write": "3.75", "request": "0.000000000001", "tiers": [LONG, NIGHT]}
    text = text_of(given)
    assert text == text_of(dict(reversed(given.items())))
    prices, tiers = read(text)
    assert prices == {"cache_write": 3_750_000, "request": 1}
    assert tiers == (
        Tier((("input", 6_000_000), ("output", 22_500_000)), min_prompt_tokens=200_000),
        Tier((("input", 1_500_000),), utc_start=990, utc_end=30),
    )
    assert read("") == ({}, ())


def test_lists_show_openrouters_keys_and_overrides() -> None:
    _, tiers = read(text_of({"tiers": [LONG, NIGHT]}))
    price = Price(3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000, tiers=tiers)
    assert msgspec.to_builtins(pricing(price)) == {
        "prompt": "0.000003",
        "completion": "0.000015",
        "input_cache_read": "0.0000003",
        "input_cache_write": "0.00000375",
        "input_cache_write_1h": "0.000006",
        "overrides": [
            {"min_prompt_tokens": 200_000, "prompt": "0.000006", "completion": "0.0000225"},
            {"utc_start": "1630", "utc_end": "0030", "prompt": "0.0000015"},
        ],
    }


def test_every_bucket_has_its_key() -> None:
    price = Price(*range(1, 11), 10**9, 10**10, 10**11)
    shown = msgspec.to_builtins(pricing(price))
    assert (shown["internal_reasoning"], shown["audio"]) == ("0.000000000006", "0.000000000007")
    assert (shown["audio_output"], shown["image_token"]) == ("0.000000000008", "0.000000000009")
    assert (shown["image_output"], shown["request"]) == ("0.00000000001", "0.001")
    assert (shown["web_search"], shown["image"]) == ("0.01", "0.1")
    assert msgspec.to_builtins(pricing(Price())) == {"prompt": None, "completion": None}

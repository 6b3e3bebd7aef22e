"""No request costs more than what is held for it; what is held is no more than it may be."""

import base64
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.costs.bounds import IMAGE_TOKENS, MOST_PIECES, MOST_TOKENS, bounds
from billing.costs.estimates import Bounds, estimate, greatest_cost_nano
from billing.costs.pricing import charge
from billing.values import Tariff
from gatewayz.api.chat_body import read_chat
from providers.rates import BUCKETS
from providers.values import Endpoint, Price, Route, Secret, Tier, Usage
from tests.billing.access.test_keytable import GOOD

ONE = Decimal(1)
WHERE = Endpoint("acme", "Acme", "openai", "https://acme.example/v1")


def route(price: Price, context: int | None = None, output: int | None = None) -> Route:
    secret = Secret(1, "a", "k")
    return Route(WHERE, secret, "m", "m", "m", 1, price, "", context, output)


@pytest.mark.parametrize("markup", ["1", "1.25", "0", "3.3333"])
@pytest.mark.parametrize("choices", [1, 3])
def test_with_free_input_it_is_the_answers_price_exactly(markup: str, choices: int):
    asked = Bounds(text=12_345, output=1000, choices=choices)
    found = greatest_cost_nano([route(Price(0, 15_000_000))], asked, Decimal(markup))
    assert found == Decimal(markup) * choices * 1000 * 15_000


def test_the_dearest_route_counts():
    given = [route(Price(1000, 1000)), route(Price(1000, 9000)), route(Price(2000, 1000))]
    assert greatest_cost_nano(given, Bounds(10, output=10), ONE) == 100


@pytest.mark.parametrize(
    ("context", "output", "tokens"),
    [(1000, 300, 300), (None, 300, 300), (1000, None, 950), (60, None, 10), (40, None, 0)],
)
def test_without_a_limit_of_its_own_it_is_the_offers(
    context: int | None, output: int | None, tokens: int
):
    given = [route(Price(0, 1000), context, output)]
    assert greatest_cost_nano(given, Bounds(text=100), ONE) == tokens


def test_without_any_limit_it_is_the_plans():
    given = [route(Price(0, 1000))]
    assert greatest_cost_nano(given, Bounds(1), ONE, Tariff(most_output=77)) == 77


@pytest.mark.parametrize(("text", "nano"), [(200, 600), (201, 1206)])
def test_the_dearest_tier_that_the_prompt_may_reach_counts(text: int, nano: int):
    price = Price(3000, 0, tiers=(Tier((("input", 6000),), min_prompt_tokens=200),))
    assert greatest_cost_nano([route(price)], Bounds(text, output=0), ONE) == nano


def test_a_price_of_some_hours_counts_at_any_time():
    price = Price(3000, 0, tiers=(Tier((("input", 6000),), utc_start=0, utc_end=1),))
    assert greatest_cost_nano([route(price)], Bounds(1, output=0), ONE) == 6


def test_an_unknown_price_is_an_error_and_not_free():
    with pytest.raises(ValueError, match="price of m is not known"):
        greatest_cost_nano([route(Price(1, None))], Bounds(1), ONE)


picos = st.integers(0, 10**7)
others = {name: st.none() | picos for name in BUCKETS if name not in ("input", "output")}
tiers = st.builds(
    Tier,
    prices=st.dictionaries(st.sampled_from(BUCKETS), picos, min_size=1).map(
        lambda found: tuple(found.items())
    ),
    min_prompt_tokens=st.none() | st.integers(0, 400),
    utc_start=st.none() | st.integers(0, 1439),
    utc_end=st.integers(0, 1439),
)
prices = st.builds(Price, picos, picos, **others, tiers=st.lists(tiers, max_size=3).map(tuple))


@settings(max_examples=200)
@given(st.lists(prices, min_size=1, max_size=3), st.data())
def test_no_usage_within_the_bounds_costs_more(given_prices: list[Price], data: st.DataObject):
    small = st.integers(0, 200)
    text, media, output, choices = (data.draw(small) for _ in range(4))
    asked = Bounds(text, media, images=data.draw(st.integers(0, 3)), output=output, choices=choices)
    most = greatest_cost_nano([route(one) for one in given_prices], asked, Decimal("1.1"))
    sizes = [*split(data, text, 4), *split(data, media, 2), *split(data, output * choices, 4)]
    names = ["input", "cached_input", "cache_write", "cache_write_1h", "audio_input", "image_input"]
    names += ["output", "reasoning", "audio_output", "image_output"]
    used = Usage(**dict(zip(names, sizes, strict=True)), images=asked.images)
    at = data.draw(st.integers(0, 10**9))
    cost = charge(data.draw(st.sampled_from(given_prices)), used, Decimal("1.1"), at)
    assert cost is not None
    assert cost.cost_nano <= most


def split(data: st.DataObject, whole: int, parts: int) -> list[int]:
    """Divide `whole` into so many parts."""
    cuts = sorted(data.draw(st.integers(0, whole)) for _ in range(parts - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True)]


def asked(content: Any, **rest: Any) -> Bounds:
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **rest}
    return read_chat(json.dumps(body, ensure_ascii=False).encode(), GOOD).bounds


@pytest.mark.parametrize(
    ("text", "tokens"),  # as common tokenizers count them, the greediest of them
    [("The quick brown fox jumps over the lazy dog. " * 50, 550), ("敏捷的棕色狐狸" * 50, 500)],
)
def test_a_prompt_has_no_more_tokens_than_are_counted(text: str, tokens: int):
    assert tokens <= asked(text).text <= len(text.encode())


@pytest.mark.parametrize(
    ("rest", "output", "choices"),
    [
        ({}, None, 1),
        ({"max_tokens": 7}, 7, 1),
        ({"max_tokens": 7, "max_completion_tokens": 9, "n": 3}, 9, 3),
        ({"max_tokens": -5, "n": -2}, 0, 1),
        ({"max_tokens": None, "n": None}, None, 1),
    ],
)
def test_the_requests_own_limit_counts(rest: dict[str, Any], output: int | None, choices: int):
    found = asked("hi", **rest)
    assert (found.output, found.choices) == (output, choices)


def test_tools_and_formats_go_into_the_prompt():
    tool = {"type": "function", "function": {"name": "f", "description": "x" * 1000}}
    form = {"type": "json_schema", "json_schema": {"name": "y" * 1000}}
    assert asked("hi", tools=[tool]).text > 500
    assert asked("hi", response_format=form).text > 500


def picture(size: int) -> str:
    return "data:image/png;base64," + base64.b64encode(b"\x00\xff" * (size // 2)).decode()


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


SOUND = base64.b64encode(b"\x01" * 400_000).decode()


def test_pictures_count_by_the_piece():
    found = asked(
        [{"type": "text", "text": "?"}, *[image(picture(900_000))] * 2, image("https://x")]
    )
    assert (found.media, found.images) == (3 * IMAGE_TOKENS, 3)
    assert found.text < 500


def test_sounds_and_files_count_by_the_piece_too():
    sound = {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64," + SOUND}}
    found = asked([sound, sound, file])
    assert (found.media, found.images) == (3 * MOST_TOKENS, 0)
    assert found.text < 500


def test_a_short_sound_has_no_more_tokens_than_bytes():
    found = asked([{"type": "input_audio", "input_audio": {"data": "QUJD" * 5, "format": "wav"}}])
    assert found.media == 20


def test_text_is_not_taken_for_a_picture():
    text = "data:image/png;base64,this is text, " + "word " * 1000
    found = asked([{"type": "text", "text": text}])
    assert found.media == 0
    assert found.text > 2500


def test_a_body_full_of_pieces_costs_no_more_than_some_of_them():
    raw = b"[" + b'{"data":"QUJD"},' * 200_000 + b"]"
    found = bounds(raw, len(raw), None, None, parts=True)
    assert (found.media, found.text) == (4 * MOST_PIECES, (len(raw) - 4 * MOST_PIECES + 1) // 2)


def test_an_estimate_is_half_of_the_bound():
    found = estimate(Bounds(text=101, media=11), 41)
    wanted = {"input": 51, "image_input": 6, "output": 11, "source": "estimated"}
    assert found == msgspec.structs.replace(Usage(), **wanted)


def test_an_answer_that_never_came_has_no_output():
    assert estimate(Bounds(text=10), 0).completion == 0

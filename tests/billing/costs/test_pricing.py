"""Charges are exact: whole numbers from the provider's price to the customer's, rounded once."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.costs.explaining import by_plan
from billing.costs.pricing import DEFAULT, Charge, charge, priced, told
from billing.values import REFUSE, Tariff
from catalog.trace import Trace
from providers.errors import ModelNotAvailable
from providers.rates import BUCKETS, OF_ANSWER, OF_MEDIA, PIECES
from providers.values import Endpoint, Price, Route, Secret, Tier, Usage

COUNTED = ("requests", "searches", "images")  # how Usage counts PIECES
ONE = Decimal(1)
NOON = 12 * 3600.0

picos = st.integers(0, 10**9)
prices = st.builds(
    Price,
    input=picos,
    output=picos,
    **{name: st.none() | picos for name in BUCKETS if name not in ("input", "output")},
)
counts = st.integers(0, 10**6)
usages = st.builds(Usage, *([counts] * 10), *([st.integers(0, 5)] * 3))
markups = st.decimals(0, 9999, places=4)


def paid(price: Price, usage: Usage, markup: Decimal = ONE, at: float = NOON) -> Charge:
    cost = charge(price, usage, markup, at)
    assert cost is not None
    return cost


def oracle(price: Price, usage: Usage, markup: Decimal) -> Decimal:
    """Nano-USD from the price of each bucket, by another way: parts that have no price of their
    own are taken to what they are a part of, one by one."""
    parents = dict.fromkeys(OF_ANSWER, "output") | dict.fromkeys(OF_MEDIA, "input")
    parents |= {"cache_write_1h": "cache_write"}
    total = Decimal(0)
    fields = [*(name for name in BUCKETS if name not in PIECES), *COUNTED]
    for bucket, field in zip(BUCKETS, fields, strict=True):
        name: str = bucket
        while getattr(price, name) is None and name in parents and parents[name] != name:
            name = parents[name]
        total += Decimal(getattr(usage, field)) * (getattr(price, name) or 0)
    return (total * markup / 1000).quantize(ONE, ROUND_HALF_UP)


@given(prices, usages, markups)
def test_a_charge_is_what_a_decimal_oracle_says(price: Price, usage: Usage, markup: Decimal):
    cost = paid(price, usage, markup)
    assert cost.cost_nano == oracle(price, usage, markup)
    assert cost.provider_cost_nano == oracle(price, usage, ONE)


@given(prices, usages)
def test_the_lines_of_a_receipt_sum_to_the_cost(price: Price, usage: Usage):
    cost = paid(price, usage)
    pico = sum(line.quantity * line.unit_pico for line in cost.lines)
    assert cost.cost_nano == (2 * pico + 1000) // 2000
    assert cost.unit_prices == {line.bucket: line.unit_pico for line in cost.lines}


@given(prices, usages, st.sampled_from(Usage.__struct_fields__[: len(BUCKETS)]), counts)
def test_more_of_anything_never_costs_less(price: Price, usage: Usage, bucket: str, more: int):
    larger = msgspec.structs.replace(usage, **{bucket: getattr(usage, bucket) + more})
    assert paid(price, larger).cost_nano >= paid(price, usage).cost_nano


@pytest.mark.parametrize(("pico", "nano"), [(499, 0), (500, 1), (1499, 1), (1500, 2)])
def test_half_a_nano_is_rounded_up_once(pico: int, nano: int):
    assert paid(Price(pico, 0), Usage(1)).cost_nano == nano


def test_parts_are_not_rounded_before_the_sum():
    assert paid(Price(400, 400), Usage(1, 1)).cost_nano == 1


def test_the_markup_is_on_what_was_not_rounded():
    cost = paid(Price(400, 0), Usage(1), Decimal("1.25"))
    assert (cost.provider_cost_nano, cost.cost_nano) == (0, 1)


def test_an_explicit_zero_stays_zero():
    cost = paid(Price(0, 0, source="manual", price_id=7), Usage(1000, 1000))
    assert (cost.cost_nano, cost.source, cost.price_id) == (0, "manual", 7)


@pytest.mark.parametrize("usage", [Usage(1), Usage(cached_input=1), Usage(audio_input=1)])
def test_what_has_no_price_has_no_cost(usage: Usage):
    assert charge(Price(None, 5), usage, ONE, NOON) is None
    assert paid(Price(None, 5), Usage(output=1000)).cost_nano == 5


def test_each_bucket_has_its_own_price():
    price = Price(**{name: 1000 * 10**place for place, name in enumerate(BUCKETS)})
    usage = Usage(*range(1, 11), requests=1, searches=2, images=3)
    wanted = [*range(1, 11), 1, 2, 3]
    nano = sum(count * 10**place for place, count in enumerate(wanted))
    assert paid(price, usage).cost_nano == nano


def test_a_request_without_a_price_of_its_own_has_no_line():
    assert [line.bucket for line in paid(Price(1, 1), Usage(1)).lines] == ["input"]


LONG = Tier((("input", 6000), ("output", 9000)), min_prompt_tokens=200)
NIGHT = Tier((("input", 1000),), utc_start=16 * 60 + 30, utc_end=30)
TIERED = Price(3000, 5000, 300, tiers=(LONG, NIGHT))


@pytest.mark.parametrize(("prompt", "nano"), [(200, 600), (201, 1206)])
def test_a_tier_begins_above_its_size(prompt: int, nano: int):
    assert paid(TIERED, Usage(prompt)).cost_nano == nano


def test_the_size_is_that_of_the_whole_prompt():
    usage = Usage(input=1, cached_input=100, cache_write=50, cache_write_1h=49, image_input=1)
    assert usage.prompt == 201
    assert paid(TIERED, usage).unit_prices["input"] == 6000


@pytest.mark.parametrize(
    ("clock", "pico"),
    [
        ("1629", 3000),
        ("1630", 1000),
        ("2359", 1000),
        ("0000", 1000),
        ("0029", 1000),
        ("0030", 3000),
    ],
)
def test_a_window_holds_its_start_and_not_its_end_and_goes_over_midnight(clock: str, pico: int):
    at = 86_400.0 * 20_000 + int(clock[:2]) * 3600 + int(clock[2:]) * 60 + 30
    assert paid(TIERED, Usage(1), at=at).unit_prices == {"input": pico}


def test_of_tiers_that_hold_the_later_wins_by_price():
    cost = paid(TIERED, Usage(300, 1), at=17 * 3600.0)
    assert cost.unit_prices == {"input": 1000, "output": 9000}


def test_all_conditions_of_a_tier_must_hold():
    both = Price(5, 5, tiers=(replace(NIGHT, min_prompt_tokens=10),))
    found = [paid(both, Usage(n), at=at).unit_prices["input"] for n in (10, 11) for at in (0, NOON)]
    assert found == [5, 5, 1000, 5]


def test_a_part_without_a_price_follows_its_wholes_tier():
    price = Price(3000, 5000, tiers=(LONG,))
    assert paid(price, Usage(cached_input=201)).unit_prices == {"cached_input": 6000}


def test_who_asks_is_told_the_cost_and_its_parts_in_usd():
    price = Price(3_000_000, 15_000_000, request=10**9)
    said = told(paid(price, Usage(1000, 100), Decimal("1.5")))
    parts = {"prompt_cost": 0.0045, "completions_cost": 0.00225, "other_cost": 0.0015}
    assert said == {"cost": 0.00825, "cost_details": parts}


KNOWN, FREE, HALF, NONE = Price(1, 2, source="listing"), Price(0, 0), Price(input=7), Price()
WHERE = Endpoint("acme", "Acme", "openai", "https://acme.example/v1")


def routes(*given: Price) -> tuple[Route, ...]:
    return tuple(Route(WHERE, Secret(1, "a", "k"), "m/x", "m/x", "x", 1, one) for one in given)


def test_routes_with_prices_stay_what_they_are():
    given = routes(KNOWN, FREE)
    assert priced(given, Tariff()) is given
    assert priced(given, Tariff(unpriced=REFUSE)) is given


def test_an_unknown_price_is_the_plans_default_and_says_so():
    found = [route.price for route in priced(routes(NONE, HALF, KNOWN), Tariff())]
    assert [(one.input, one.output) for one in found] == [
        (10**7, 4 * 10**7),
        (7, 4 * 10**7),
        (1, 2),
    ]
    assert [one.source for one in found] == [DEFAULT, DEFAULT, "listing"]
    assert paid(found[0], Usage(10**6, 10**6)).cost_nano == 50 * 10**9


def test_a_plan_that_refuses_leaves_out_what_has_no_price():
    given = routes(NONE, KNOWN)
    assert priced(given, Tariff(unpriced=REFUSE)) == (given[1],)


def test_a_plan_that_refuses_says_why_and_what_to_do():
    with pytest.raises(ModelNotAvailable) as caught:
        priced(routes(NONE, HALF), Tariff(unpriced=REFUSE))
    assert (caught.value.status, caught.value.code) == (404, "model_not_available")
    assert "price at acme is not known" in caught.value.message
    assert "set a price on the offer" in caught.value.message


def test_where_no_answer_is_paid_for_its_price_may_be_missing():
    given = routes(HALF)
    assert priced(given, Tariff(unpriced=REFUSE), answers=False) is given


@pytest.mark.parametrize(
    ("tariff", "outcome"),
    [
        (None, "not known: the key's plan decides"),
        (Tariff(), "not known: the plan charges 10 / 40 USD per million tokens"),
    ],
)
def test_explain_tells_what_becomes_of_an_unknown_price(tariff: Tariff | None, outcome: str):
    trace = Trace()
    by_plan(tariff)(routes(NONE), trace)
    assert [(step.rule, step.subject, step.outcome) for step in trace.steps] == [
        ("price", "m/x at acme", outcome)
    ]

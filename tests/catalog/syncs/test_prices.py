"""What was in force when, as it was known when."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.models import Model, Offer
from catalog.prices import REFERENCE, PriceRecord
from providers.models import Provider
from tests.catalog.syncs.conftest import synced
from tests.upstreams.listings import Stock

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def offer(db) -> Offer:
    model = Model.objects.create(model_id="acme/chat")
    groq = Provider.objects.get(slug="groq")
    return Offer.objects.create(model=model, provider=groq, upstream_id="chat")


def input_at(offer: Offer, moment, known_at=None) -> Decimal | None:
    found = PriceRecord.objects.in_force(offer, moment, known_at)
    return found and found.input_price


def record(offer: Offer, source: str, price: str | None, days_ago: int, told: int) -> None:
    now = timezone.now()
    PriceRecord.objects.create(
        offer=offer,
        source=source,
        input_price=price and D(price),
        valid_from=now - timedelta(days=days_ago),
        recorded_at=now - timedelta(days=told),
    )


def test_by_hand_beats_listed_beats_reference(offer: Offer) -> None:
    now = timezone.now()
    assert input_at(offer, now) is None
    record(offer, REFERENCE, "3", 9, 9)
    assert input_at(offer, now) == 3
    record(offer, "listing", "2", 8, 8)
    assert input_at(offer, now) == 2
    record(offer, "manual", "1", 7, 7)
    assert input_at(offer, now) == 1
    record(offer, "manual", None, 1, 1)
    assert input_at(offer, now) == 2
    assert input_at(offer, now - timedelta(days=2)) == 1
    assert input_at(offer, now - timedelta(days=10)) is None


def test_what_was_known_then_is_not_what_is_known_now(offer: Offer) -> None:
    now = timezone.now()
    record(offer, "listing", "2", 10, 10)
    record(offer, "listing", "5", 10, 3)  # a correction, a week late
    week_ago = now - timedelta(days=7)
    assert input_at(offer, week_ago) == 5
    assert input_at(offer, week_ago, known_at=week_ago) == 2


def test_an_admins_change_by_hand_is_recorded_however_it_is_made(offer: Offer) -> None:
    def recorded() -> list[tuple[str, Decimal | None]]:
        return list(offer.prices.order_by("pk").values_list("source", "input_price"))

    assert recorded() == []
    offer.input_price = "0.50"
    offer.save()
    offer.enabled = False
    offer.save()
    assert recorded() == [("manual", D("0.5"))]
    Offer.objects.filter(pk=offer.pk).update(input_price=2)
    Offer.objects.filter(pk=offer.pk).update(enabled=True)
    assert [price for _, price in recorded()] == [D("0.5"), 2]
    model = Model.objects.create(model_id="acme/bulk")
    (made,) = Offer.objects.bulk_create(
        [Offer(model=model, provider=offer.provider, upstream_id="b", input_price=D(3))]
    )
    assert made.prices.get().input_price == 3


def test_a_listed_change_is_recorded_with_the_run_that_saw_it(listing) -> None:
    stock = Stock("openrouter", count=2)
    provider = listing(stock)
    first = synced(provider)
    between = timezone.now()
    stock.rows[0]["pricing"] = {"prompt": "0.0000002", "completion": "0.0000006"}
    second = synced(provider)
    offer = Offer.objects.get(upstream_id=stock.ids()[0])
    assert [row.run for row in offer.prices.order_by("pk")] == [first, second]
    assert input_at(offer, between) == D("0.15")
    assert input_at(offer, timezone.now()) == D("0.2")


def test_an_override_counts_whole_and_gives_way_when_it_goes(listing) -> None:
    stock = Stock("openrouter", count=1)
    synced(listing(stock))
    offer = Offer.objects.get(upstream_id=stock.ids()[0])
    listed = offer.value_of().price
    offer.input_price = D(9)
    offer.save()
    assert offer.value_of().price.input == 9_000_000
    assert offer.value_of().price.output is None
    offer.input_price = None
    offer.save()
    assert offer.value_of().price == listed
    assert input_at(offer, timezone.now()) == offer.listed_input_price


def test_tiers_and_other_prices_are_listed_recorded_and_served(listing) -> None:
    stock = Stock("openrouter", count=1)
    provider = listing(stock)
    tier = {"min_prompt_tokens": 200000, "prompt": "0.000006"}
    pricing = {"prompt": "0.000003", "completion": "0.000015", "request": "0.001"}
    stock.rows[0]["pricing"] = {**pricing, "input_cache_write": "0.00000375", "overrides": [tier]}
    synced(provider)
    offer = Offer.objects.get(upstream_id=stock.ids()[0])
    written = {"cache_write": "3.75", "request": "0.001"}
    tiers = [{"min_prompt_tokens": 200000, "input": "6"}]
    assert offer.listed_other_prices == {**written, "tiers": tiers}
    price = offer.value_of().price
    assert (price.cache_write, price.request) == (3_750_000, 10**9)
    assert price.rates(200_001, 0)[0] == 6_000_000
    assert (price.source, price.price_id) == ("listing", offer.prices.get().pk)
    assert synced(provider).state == "unchanged"
    stock.rows[0]["pricing"]["overrides"] = [{**tier, "prompt": "0.000007"}]
    assert synced(provider).changed == 1
    (before, after) = offer.prices.order_by("pk")
    assert before.other_prices["tiers"] == tiers
    assert after.other_prices["tiers"][0]["input"] == "7"
    assert Offer.objects.get(pk=offer.pk).value_of().price.price_id == after.pk


def test_another_price_that_jumps_is_held_back(listing) -> None:
    stock = Stock("openrouter", count=1)
    provider = listing(stock)
    stock.rows[0]["pricing"] |= {"input_cache_write": "0.0000001"}
    synced(provider)
    stock.rows[0]["pricing"] |= {"input_cache_write": "0.0001"}
    assert synced(provider).state == "quarantined"

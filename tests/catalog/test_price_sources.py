"""A price in the snapshot says where it came from, and which record holds it."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from catalog import references
from catalog.loading import load
from catalog.models import Model, Offer, Revision
from catalog.prices import REFERENCE, UNKNOWN, PriceInForce, PriceRecord, Prices
from providers.models import Provider
from providers.values import Price
from tests.forms import errors, save

pytestmark = pytest.mark.django_db
D = Decimal
TIERS = [{"min_prompt_tokens": 200000, "input": "6"}]


@pytest.fixture
def model() -> Model:
    return Model.objects.create(model_id="acme/chat")


def offered(model: Model, slug: str, **fields: object) -> Offer:
    provider = Provider.objects.get(slug=slug)
    return Offer.objects.create(model=model, provider=provider, upstream_id="chat", **fields)


def served(offer: Offer) -> Price:
    """Return the price as the snapshot has it; the row says the same."""
    (value,) = [v for v in load().offers[offer.model.model_id] if v.id == offer.pk]
    assert Offer.objects.get(pk=offer.pk).value_of().price == value.price
    return value.price


def latest(offer: Offer, source: str) -> int:
    return PriceRecord.objects.filter(offer=offer, source=source).latest("pk").pk


def test_a_price_by_hand_names_its_record(model: Model) -> None:
    offer = offered(model, "groq", input_price=D(1), other_prices={"tiers": TIERS})
    price = served(offer)
    assert (price.source, price.price_id) == ("manual", latest(offer, "manual"))
    assert price.tiers[0].prices == (("input", 6_000_000),)
    offer.enabled = False
    offer.save()
    assert served(offer).price_id == price.price_id
    Offer.objects.filter(pk=offer.pk).update(other_prices={"request": "0.01"})
    changed = served(offer)
    assert changed.price_id == latest(offer, "manual") > price.price_id
    assert (changed.request, changed.tiers) == (10**10, ())
    assert PriceRecord.objects.get(pk=changed.price_id).other_prices == {"request": "0.01"}


def test_other_prices_by_hand_alone_are_an_override(model: Model) -> None:
    listed = {"listed_input_price": D(1), "listed_output_price": D(2)}
    offer = offered(model, "groq", other_prices={"request": "0.01"}, **listed)
    price = served(offer)
    assert (price.input, price.request, price.source) == (None, 10**10, "manual")


def test_an_unknown_price_has_no_source(model: Model) -> None:
    price = served(offered(model, "groq"))
    assert (price, price.source, price.price_id) == (Price(), "", 0)


def test_a_reference_counts_while_nobody_else_knows(model: Model) -> None:
    offer = offered(model, "groq")
    before = Revision.objects.count()
    PriceRecord.objects.refer(offer, Prices(D(3), D(4), other='{"request":"0.02"}'))
    assert Revision.objects.count() == before + 1
    assert Revision.objects.first().parts == ["offers:groq"]
    price = served(offer)
    assert (price.input, price.output, price.request) == (3_000_000, 4_000_000, 2 * 10**10)
    assert (price.source, price.price_id) == (REFERENCE, latest(offer, REFERENCE))
    offer.listed_input_price = D(9)
    offer.save()
    assert (served(offer).input, served(offer).source) == (9_000_000, "listing")
    offer.listed_input_price = None
    offer.save()
    PriceRecord.objects.refer(offer, UNKNOWN)
    assert served(offer) == Price()


def test_a_reference_is_the_dearest_of_what_others_list(model: Model) -> None:
    offer = offered(model, "groq")
    assert references.copy(offer) is None
    for slug, price in (("openai", 2), ("deepinfra", 5), ("novita", 3)):
        offered(model, slug, listed_input_price=D(price), listed_output_price=D(1))
    assert references.copy(offer).slug == "deepinfra"
    assert served(offer).input == 5_000_000


def test_an_admin_copies_a_reference_and_sees_it_as_one(admin_client: Client, model: Model) -> None:
    offer = offered(model, "groq")
    offered(model, "openai", listed_input_price=D("0.5"), listed_output_price=D("1.5"))
    url = reverse("admin:catalog_offer_changelist")
    data = {"action": "refer", "_selected_action": [offer.pk]}
    page = admin_client.post(url, data, follow=True)
    assert [str(m) for m in page.context["messages"]] == [
        "acme/chat at groq: as openai lists it, while nothing better is."
    ]
    assert "0.5 / 1.5 (reference)" in admin_client.get(url).content.decode()


def test_an_admin_enters_a_reference(admin_client: Client, model: Model) -> None:
    offer = offered(model, "groq")
    add = reverse("admin:catalog_pricerecord_add")
    tiers = '{"tiers": [{"min_prompt_tokens": 1, "input": "x"}]}'
    wrong = save(admin_client, add, offer=str(offer.pk), input_price="1", other_prices=tiers)
    assert "tiers[0].input: a price is USD per million tokens" in errors(wrong)
    given = {"input_price": "1", "output_price": "2", "other_prices": '{"image": "0.020"}'}
    assert errors(save(admin_client, add, offer=str(offer.pk), **given)) == ""
    price = served(offer)
    assert (price.input, price.image, price.source) == (1_000_000, 2 * 10**10, REFERENCE)
    assert PriceRecord.objects.get(source=REFERENCE).other_prices == {"image": "0.02"}


def test_an_admin_gives_an_offer_tiers(admin_client: Client, model: Model) -> None:
    offer = offered(model, "groq")
    page = reverse("admin:catalog_offer_change", args=[offer.pk])
    wrong = save(admin_client, page, other_prices='{"cache_wirte": "1"}')
    assert "cache_wirte: there is no such price" in errors(wrong)
    text = '{"tiers": [{"min_prompt_tokens": 200000, "input": "6.0"}]}'
    assert errors(save(admin_client, page, input_price="3", other_prices=text)) == ""
    assert Offer.objects.get(pk=offer.pk).other_prices == {"tiers": TIERS}
    assert served(offer).rates(200_001, 0)[0] == 6_000_000


def test_a_deleted_offer_takes_its_prices_along(model: Model) -> None:
    offer = offered(model, "groq", input_price=D(1))
    assert offer.prices.exists()
    model.delete()
    assert not PriceRecord.objects.filter(offer=offer.pk).exists()
    assert not PriceInForce.objects.filter(pk=offer.pk).exists()

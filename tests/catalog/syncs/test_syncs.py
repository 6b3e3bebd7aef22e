"""What a sync brings, keeps and leaves alone."""

import json
from decimal import Decimal

import pytest

from catalog.loading import load
from catalog.models import Model, Offer, Revision
from catalog.syncs.models import SyncRun
from providers.models import Provider
from tests.catalog.syncs.conftest import listed_ids, synced
from tests.upstreams.listings import FOURTEEN, Lists, Page, Stock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slug", FOURTEEN)
def test_each_gateways_models_land(slug: str, listing) -> None:
    stock = Stock(slug, count=7)
    provider = listing(stock)
    run = synced(provider)
    assert (run.state, run.added, run.unique, run.duplicates) == ("applied", 7, 7, 0), run.message
    assert Offer.objects.filter(provider=provider).count() == 7
    assert len([o for offers in load().offers.values() for o in offers if o.slug == slug]) == 7


def test_all_1377_models_of_the_hub(listing, lists: Lists) -> None:
    stock = Stock("huggingface")
    stock.shuffled, stock.busy_every = True, 3
    provider = listing(stock)
    run = synced(provider)
    assert (run.state, run.unique, run.duplicates) == ("applied", 1377, 20)
    assert listed_ids(provider) == set(stock.ids())
    assert lists.asked[0].query["limit"] == "1000"
    assert synced(provider).state == "unchanged"


def test_the_hub_and_the_router_are_one_list(listing, lists: Lists) -> None:
    hub = Stock("huggingface", count=5)
    router = {
        "id": hub.ids()[0],
        "providers": [{"provider": "novita", "status": "live", "pricing": {"input": 9}}],
    }
    rows = [router, {"id": "only/router", "providers": []}]
    url = lists.add("/router", lambda asked: Page(json.dumps({"data": rows}).encode()))
    provider = listing(hub)
    provider.listing.append({"parser": "huggingface-router", "url": url, "auth": "none"})
    provider.save()
    run = synced(provider)
    assert (run.unique, run.duplicates, run.rows) == (6, 0, 6)
    both = Offer.objects.get(upstream_id=hub.ids()[0])
    assert "novita" in both.listed_backends
    assert len(both.listed_backends) > 1


def test_a_second_sync_writes_no_row(listing) -> None:
    provider = listing(Stock("openrouter", count=30))
    synced(provider)
    revisions = Revision.objects.count()
    before = list(Offer.objects.values_list().order_by("pk"))
    run = synced(provider)
    assert (run.state, run.unique) == ("unchanged", 30)
    assert Revision.objects.count() == revisions
    assert list(Offer.objects.values_list().order_by("pk")) == before
    assert not hasattr(run, "changeset")


def test_a_first_sync_is_one_revision(listing) -> None:
    provider = listing(Stock("openrouter", count=30))
    before = Revision.objects.count()
    synced(provider)
    assert Revision.objects.count() == before + 1
    newest = Revision.objects.first()
    names = Model.objects.filter(listed_by=provider).values_list("model_id", flat=True)
    models = sorted(f"model:{name}" for name in names)
    assert newest.parts == [*models, "offers:openrouter"]
    assert (newest.author, newest.summary) == ("sync", "synced openrouter: 30 added")


def test_prices_come_out_exact(listing) -> None:
    stock = Stock("openrouter", count=1)
    stock.rows[0]["pricing"] = {"prompt": "0.00000015", "completion": "0.0000006"}
    synced(listing(stock))
    offer = Offer.objects.get(upstream_id=stock.ids()[0])
    assert offer.listed_input_price == Decimal("0.15")
    assert offer.value_of().price.input == 150_000
    assert offer.value_of().price.output == 600_000


def test_a_price_finer_than_a_pico_dollar_is_rounded_half_up(listing) -> None:
    stock = Stock("openrouter", count=1)
    stock.rows[0]["pricing"] = {"prompt": "0.0000000375005", "completion": "0.0000006"}
    synced(listing(stock))
    assert Offer.objects.get(upstream_id=stock.ids()[0]).value_of().price.input == 37_501


def test_what_admins_set_survives_every_sync(listing) -> None:
    stock = Stock("openrouter", count=3)
    provider = listing(stock)
    synced(provider)
    offer = Offer.objects.get(upstream_id=stock.ids()[0])
    offer.input_price, offer.output_price, offer.enabled = Decimal("7"), Decimal("8"), False
    offer.context_length = 99
    offer.save()
    offer.model.name, offer.model.hidden = "Ours", True
    offer.model.save()
    stock.rows[0] |= {"name": "Theirs", "context_length": 1234}
    stock.rows[0]["pricing"] = {"prompt": "0.0000002", "completion": "0.0000006"}
    run = synced(provider)
    assert (run.state, run.changed) == ("applied", 1)
    value = Offer.objects.get(pk=offer.pk).value_of()
    assert (value.price.input, value.enabled, value.context_length) == (7_000_000, False, 99)
    model = Model.objects.get(pk=offer.model_id)
    assert (model.value_of().name, model.hidden, model.listed_name) == ("Ours", True, "Theirs")


def test_an_offer_by_hand_is_taken_over_and_never_retired(listing) -> None:
    stock = Stock("groq", count=9)
    model = Model.objects.create(model_id="ours/own")
    provider = listing(stock)
    Offer.objects.create(model=model, provider=provider, upstream_id=stock.ids()[0])
    synced(provider)
    offer = Offer.objects.get(model=model)
    assert (offer.source, offer.listed_context_length) == ("manual", 131072)
    stock.rows = stock.rows[1:]
    for _ in range(4):
        run = synced(provider)
    assert run.state == "unchanged"
    assert Offer.objects.get(model=model).retired_at is None


def test_missing_three_runs_in_a_row_is_retired_and_comes_back_with_its_history(listing) -> None:
    stock = Stock("openrouter", count=5)
    provider = listing(stock)
    synced(provider)
    row = stock.rows.pop()
    gone = Offer.objects.get(upstream_id=row["id"])
    revisions = Revision.objects.count()
    for number in (1, 2):
        assert synced(provider).removed == 1
        assert Offer.objects.get(pk=gone.pk).missing_runs == number
    assert Revision.objects.count() == revisions  # routes are as they were
    assert row["id"] in load().offers
    assert synced(provider).retired == 1
    retired = Offer.objects.get(pk=gone.pk)
    assert retired.retired_at
    assert retired.last_listed_at
    assert row["id"] not in load().offers
    assert synced(provider).state == "unchanged"
    stock.rows.append(row)
    assert synced(provider).returned == 1
    back = Offer.objects.get(pk=gone.pk)
    assert (back.retired_at, back.missing_runs, back.prices.count()) == (None, 0, 1)
    assert row["id"] in load().offers


def test_an_etag_spares_the_download_until_something_is_missing(listing, lists: Lists) -> None:
    stock = Stock("groq", count=6)
    stock.etag = True
    provider = listing(stock)
    synced(provider)
    again = synced(provider)
    assert (again.state, again.pages) == ("unchanged", 0)
    assert "nothing changed" in again.message
    assert synced(provider, force=True).pages == 1
    Offer.objects.filter(upstream_id=stock.ids()[0]).delete()
    assert synced(provider).added == 1


def test_a_credential_goes_where_the_list_asks_for_one(listing, lists: Lists) -> None:
    provider = listing(Stock("groq", count=1))
    provider.listing[0]["auth"] = "required"
    provider.save()
    assert "needs a credential" in synced(provider).message
    provider.credentials.create(value="gsk-secret-123456789")
    assert synced(provider).state == "applied"
    assert lists.asked[-1].headers["authorization"] == "Bearer gsk-secret-123456789"


def test_what_is_listed_as_not_chat_is_no_chat_model(listing) -> None:
    stock = Stock("huggingface", count=2)
    stock.rows[0] |= {"pipeline_tag": "text-classification", "inferenceProviderMapping": []}
    synced(listing(stock))
    value = Offer.objects.get(upstream_id=stock.ids()[0]).value_of()
    assert value.capabilities == {"text-classification"}


def test_snapshots_of_old_and_new_agree(listing) -> None:
    stock = Stock("openrouter", count=10)
    provider = listing(stock)
    synced(provider)
    old = load()
    stock.rows[3]["context_length"] = 4242
    stock.rows.append(stock.row(99))
    synced(provider)
    fresh = load()
    assert load(old) == fresh
    assert fresh.offers != old.offers


def test_runs_end_with_their_record(listing) -> None:
    synced(listing(Stock("novita")))
    run = SyncRun.objects.get()
    assert (run.pages, run.rows, run.unique, run.finished_at is not None) == (1, 5, 5, True)
    assert len(run.entries[0]["hash"]) == 64
    assert not SyncRun.objects.running()


def test_a_removed_provider_takes_its_runs_along(listing) -> None:
    provider = listing(Stock("novita"))
    synced(provider)
    Provider.objects.get(pk=provider.pk).delete()
    assert not SyncRun.objects.exists()

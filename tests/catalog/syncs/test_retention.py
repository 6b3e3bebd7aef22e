"""Old syncs go, in bounded batches; what is still needed stays, and so do prices."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Offer
from catalog.prices import PriceRecord
from catalog.syncs import retention
from catalog.syncs.models import Change, Changeset, SyncRun
from catalog.syncs.sightings import sighting
from tests.catalog.syncs.conftest import synced
from tests.upstreams.listings import Stock

pytestmark = pytest.mark.django_db


def age(days: int) -> None:
    ago = timezone.now() - timedelta(days=days)
    SyncRun.objects.update(started_at=ago, finished_at=ago)


def test_runs_of_long_ago_go_with_their_changes_and_prices_stay(listing) -> None:
    stock = Stock("openrouter", count=30)
    provider = listing(stock)
    synced(provider)
    age(200)
    stock.rows.append(stock.row(30))
    synced(provider)
    assert Change.objects.count() == 31
    prices = PriceRecord.objects.count()
    assert retention.sweep() == 32
    assert SyncRun.objects.get().added == 1
    assert Change.objects.count() == 1
    assert PriceRecord.objects.count() == prices > 0


def test_what_is_needed_stays_however_old(listing) -> None:
    stock = Stock("openrouter", count=20)
    provider = listing(stock)
    synced(provider)
    stock.rows = stock.rows[:5]
    assert synced(provider).state == "quarantined"
    age(1000)
    assert retention.sweep() == 0
    assert Changeset.objects.filter(state="quarantined").count() == 1
    assert Change.objects.count() == 35


def test_a_sweep_is_bounded_and_the_next_one_goes_on(listing) -> None:
    stock = Stock("openrouter", count=30)
    provider = listing(stock)
    synced(provider)
    age(200)
    stock.rows.append(stock.row(30))
    synced(provider)
    assert retention.sweep(most=10) == 10
    assert Change.objects.count() == 21
    assert retention.sweep() == 22


def test_a_list_is_dated_evidence_that_marks_nothing_up_or_down(listing) -> None:
    stock = Stock("openrouter", count=4)
    provider = listing(stock)
    run = synced(provider)
    offer = Offer.objects.get(upstream_id=stock.ids()[3])
    when = f"{run.finished_at:%Y-%m-%d %H:%M} UTC"
    assert sighting(offer) == f"in the list read at {when}"
    kept = stock.rows
    stock.rows = stock.rows[:3]
    for _ in range(2):
        synced(provider)
    stock.rows = kept
    synced(provider)
    found = offer.evidence.filter(source="list").order_by("pk")
    assert list(found.values_list("outcome", "detail")) == [
        ("ok", "listed for the first time"),
        ("not_found", "not in the list, 1 of 3 readings"),
        ("not_found", "not in the list, 2 of 3 readings"),
        ("ok", "in the list again"),
    ]
    assert not hasattr(offer, "health"), "nobody called it: it is neither up nor down"
    offer.missing_runs, offer.last_listed_at = 2, timezone.now()
    assert sighting(offer).startswith("not in the list read at")
    assert sighting(Offer(provider=provider)) == "never listed"


def test_an_unchanged_list_writes_no_evidence(listing) -> None:
    provider = listing(Stock("openrouter", count=4))
    synced(provider)
    before = Offer.objects.get(upstream_id__contains="openrouter-1").evidence.count()
    assert synced(provider).state == "unchanged"
    assert Offer.objects.get(upstream_id__contains="openrouter-1").evidence.count() == before == 1

"""Windows, what the resolver orders by, and what is thrown away."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.evidence import retention
from catalog.evidence.models import Evidence, OfferHealth, OfferHour, OfferMinute
from catalog.evidence.recording import record
from catalog.evidence.summaries import fold, measure, summarise
from catalog.evidence.verdicts import OK, SOFT
from catalog.loading import load
from catalog.models import Model, Offer, Revision
from tests.catalog.evidence.conftest import found

NOW = datetime.now(UTC)

pytestmark = pytest.mark.django_db


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def latency(offer: Offer) -> int | None:
    return Offer.objects.get(pk=offer.pk).latency_ms


def windows() -> dict:
    return OfferHealth.objects.get().windows


def test_each_window_holds_its_time(offer: Offer) -> None:
    times = [1, 30, 30, 300, 300, 300, 1380]
    record([found(offer, OK, ago(minutes), latency_ms=100) for minutes in times])
    record([found(offer, SOFT, ago(30))])
    assert summarise(NOW) == 1
    assert {name: told["requests"] for name, told in windows().items()} == {
        "5m": 1,
        "1h": 4,
        "1d": 8,
    }
    assert windows()["1h"]["success_rate"] == OfferHealth.objects.get().success_rate == 0.75


def test_folding_loses_nothing(offer: Offer) -> None:
    record([found(offer, OK, ago(minutes), latency_ms=100) for minutes in range(1, 600, 7)])
    summarise(NOW)
    before = windows()
    assert fold(NOW) > 50
    assert fold(NOW) == 0
    assert OfferHour.objects.exists()
    assert not OfferMinute.objects.filter(at__lt=ago(181)).exists()
    summarise(NOW)
    assert windows() == before


def test_a_late_minute_joins_its_hour(offer: Offer) -> None:
    record([found(offer, OK, ago(600))])
    fold(NOW)
    record([found(offer, OK, ago(600))])
    fold(NOW)
    assert OfferHour.objects.get().ok == 2


def test_an_offer_that_is_idle_for_a_day_shows_nothing(offer: Offer) -> None:
    record([found(offer, OK, ago(1), latency_ms=100)] * 20)
    summarise(NOW)
    measure()
    assert latency(offer) is not None
    summarise(NOW + timedelta(days=2))
    measure()
    assert windows() == {}
    assert latency(offer) is None
    assert OfferHealth.objects.get().uptime is None


def test_only_news_is_announced(offer: Offer) -> None:
    def serve(latency_ms: int, count: int = 20) -> int:
        batch = [found(offer, OK, ago(1), latency_ms=latency_ms, tokens=10, token_ms=100)] * count
        record(batch)
        summarise(NOW)
        return measure()

    before = Revision.objects.count()
    assert serve(100, 9) == 1  # its uptime
    assert latency(offer) is None  # too few to order by
    assert serve(100) == 1
    revision = Revision.objects.first()
    assert (revision.parts, revision.summary) == (["experience:acme"], "measured 1 offers")
    assert serve(104) == 0
    assert Revision.objects.count() == before + 2
    assert serve(900, 100) == 1
    (value,) = load().offers["acme/chat-1"]
    assert value.latency_ms == pytest.approx(900, rel=0.1)
    assert (value.throughput_tps, value.uptime) == (100.0, 1.0)


def test_latency_is_to_the_first_token_where_it_streams(offer: Offer) -> None:
    record([found(offer, OK, ago(1), latency_ms=5000, first_byte_ms=80)] * 20)
    summarise(NOW)
    measure()
    assert latency(offer) == pytest.approx(80, rel=0.1)


def test_evidence_is_bounded_per_offer_and_in_time(offer: Offer) -> None:
    def rows(count: int, days: float) -> list[Evidence]:
        step = timedelta(seconds=1)
        start = NOW - timedelta(days=days)
        return [
            Evidence(offer=offer, at=start + n * step, source="probe", outcome="ok")
            for n in range(count)
        ]

    Evidence.objects.bulk_create(rows(1500, 20) + rows(700, 2))
    assert retention.sweep() == 2000
    assert Evidence.objects.count() == 200
    assert Evidence.objects.order_by("at").first().at > NOW - timedelta(days=3)
    assert retention.sweep() == 0


def test_measures_are_taken_over_without_reading_a_providers_list(offer: Offer) -> None:
    """What an offer is measured at changes often; its provider's whole list does not."""
    provider = offer.provider
    models = Model.objects.bulk_create([Model(model_id=f"acme/x-{n}") for n in range(3000)])
    Offer.objects.bulk_create(
        [Offer(model=model, provider=provider, upstream_id=model.model_id) for model in models]
    )
    old = load()
    record([found(offer, OK, ago(1), latency_ms=100, tokens=10, token_ms=100)] * 20)
    summarise(NOW)
    measure()
    with CaptureQueriesContext(connection) as queries:
        new = load(old)
    assert [query["sql"] for query in queries if 'FROM "catalog_offer"' in query["sql"]] == []
    (measured,) = new.offers["acme/chat-1"]
    assert measured.throughput_tps == 100.0
    assert new.offers["acme/x-1"] is old.offers["acme/x-1"]
    assert new.offers == load().offers

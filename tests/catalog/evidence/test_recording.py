"""Findings become counts, a state, a revision when it flips, and few rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from catalog.evidence.models import Evidence, OfferHealth, OfferMinute
from catalog.evidence.recording import record
from catalog.evidence.verdicts import DOWN, LIST, NOT_FOUND, OK, SOFT, UP
from catalog.loading import load
from catalog.models import Offer, Revision
from tests.catalog.evidence.conftest import found

NOW = datetime.now(UTC)

pytestmark = pytest.mark.django_db


def test_three_not_founds_are_one_revision_and_down_in_the_snapshot(offer: Offer) -> None:
    before = load()
    record([found(offer, NOT_FOUND)])
    record([found(offer, NOT_FOUND)])
    assert load(before) is before
    record([found(offer, NOT_FOUND)])
    after = load(before)
    assert after.revision == before.revision + 1
    assert Revision.objects.first().parts == ["experience:acme"]
    assert Revision.objects.first().summary == "acme/chat-1 at acme is down"
    (value,) = after.offers["acme/chat-1"]
    assert value.down.endswith(" UTC: not found three times in a row")
    record([found(offer, NOT_FOUND)])
    assert load(after) is after


def test_one_success_is_a_revision_that_brings_it_back(offer: Offer) -> None:
    record([found(offer, NOT_FOUND)] * 3)
    record([found(offer)])
    assert Revision.objects.first().summary == "acme/chat-1 at acme is back"
    (value,) = load().offers["acme/chat-1"]
    assert value.down == ""
    health = OfferHealth.objects.get()
    assert (health.state, health.hard_failures, health.down_since) == (UP, 0, None)


def test_findings_are_judged_in_the_order_of_time(offer: Offer) -> None:
    late = [found(offer, NOT_FOUND, NOW + timedelta(seconds=n)) for n in (1, 2, 3)]
    record([*late, found(offer, OK, NOW)])
    assert OfferHealth.objects.get().state == DOWN


def test_a_thousand_successes_are_one_row_and_all_are_counted(offer: Offer) -> None:
    for _ in range(4):
        record([found(offer, OK, NOW, latency_ms=100)] * 250)
    assert Evidence.objects.count() == 1
    assert sum(row.ok for row in OfferMinute.objects.all()) == 1000


def test_failures_are_kept_in_small_numbers(offer: Offer) -> None:
    record([found(offer, SOFT, detail="timeout")] * 250)
    assert Evidence.objects.count() == 3
    assert OfferMinute.objects.get().failed == 250


def test_minutes_add_up_over_batches(offer: Offer) -> None:
    at = NOW.replace(second=0, microsecond=0)
    record([found(offer, OK, at, latency_ms=100, tokens=5, token_ms=50)])
    record([found(offer, OK, at, latency_ms=100), found(offer, SOFT, at + timedelta(minutes=1))])
    first, second = OfferMinute.objects.order_by("at")
    assert (first.ok, first.tokens, sum(first.latency.values())) == (2, 5, 2)
    assert (second.ok, second.failed) == (0, 1)


def test_a_list_is_kept_and_counts_nothing(offer: Offer) -> None:
    record([found(offer, OK, source=LIST, detail="listed")])
    assert Evidence.objects.get().source == LIST
    assert not OfferMinute.objects.exists()
    assert OfferHealth.objects.get().state == "unknown"


def test_what_is_gone_or_old_or_unlisted_is_passed_over(offer: Offer) -> None:
    old = found(offer, OK, NOW - timedelta(days=2))
    gone = found(offer)
    Offer.objects.all().delete()
    record([old, gone])
    assert not Evidence.objects.exists()


def test_a_batch_takes_few_queries(offer: Offer, django_assert_max_num_queries) -> None:
    batch = [found(offer, OK, NOW, latency_ms=n) for n in range(1, 251)]
    with django_assert_max_num_queries(12), transaction.atomic():
        record(batch)

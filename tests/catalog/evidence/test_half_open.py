"""An expired block rule holds until a probe decides."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.asks import Ask
from catalog.evidence.models import Evidence, OfferHealth, ProbeBudget
from catalog.evidence.recording import record
from catalog.evidence.rounds import scheduled
from catalog.loading import load
from catalog.models import BlockRule, Offer
from catalog.resolver import resolve
from catalog.tasks import expire_block_rules
from providers.errors import ModelNotAvailable
from tests.catalog.evidence.conftest import found
from tests.upstreams.errors import Status, error
from tests.upstreams.server import Upstream

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(60)]


@pytest.fixture
def rule(offer: Offer, upstream: Upstream) -> BlockRule:
    offer.provider.base_url, offer.provider.private_network = upstream.url, True
    offer.provider.save()
    past = timezone.now() - timedelta(minutes=5)
    return BlockRule.objects.create(pattern="acme/*", reason="was broken", expires_at=past)


def served() -> bool:
    try:
        return bool(resolve(load(), Ask("acme/chat-1")))
    except ModelNotAvailable:
        return False


def test_its_reason_says_that_it_is_over(rule: BlockRule) -> None:
    with pytest.raises(ModelNotAvailable, match="was broken .expired, a probe will decide"):
        resolve(load(), Ask("acme/chat-1"))


def test_it_holds_until_a_probe_is_answered(rule: BlockRule, upstream: Upstream) -> None:
    assert not served()
    assert list(scheduled()) == []
    assert expire_block_rules() == "expired block rules: 1 ended"
    assert served()
    assert len(upstream.requests) == 1
    assert expire_block_rules() == "expired block rules: none"


def test_not_found_holds_it_for_another_day(rule: BlockRule, upstream: Upstream) -> None:
    upstream.reply(error("openai", 404))
    assert expire_block_rules() == "expired block rules: 1 held for another day"
    rule.refresh_from_db()
    assert rule.enabled
    assert rule.expires_at > timezone.now() + timedelta(hours=23)
    assert expire_block_rules() == "expired block rules: none"


def test_what_proves_nothing_is_asked_again_later(rule: BlockRule, upstream: Upstream) -> None:
    upstream.script([Status(500), Status(200, {"choices": []})])
    assert expire_block_rules() == "expired block rules: 1 half-open"
    assert expire_block_rules() == "expired block rules: 1 half-open"
    assert len(upstream.requests) == 1
    assert not served()
    OfferHealth.objects.update(next_probe_at=timezone.now())
    assert expire_block_rules() == "expired block rules: 1 ended"


def test_after_a_day_without_a_decision_it_ends(rule: BlockRule, upstream: Upstream) -> None:
    upstream.reply(Status(500))
    before = timezone.now() - timedelta(hours=25)
    BlockRule.objects.filter(pk=rule.pk).update(expires_at=before)
    assert served()  # also where no worker runs
    assert expire_block_rules() == "expired block rules: 1 ended"
    assert upstream.requests == []


@pytest.mark.parametrize("why", ["unpriced", "no offer", "no credential", "kind", "no budget"])
def test_it_simply_ends_where_no_probe_is_possible(
    rule: BlockRule, offer: Offer, upstream: Upstream, why: str
) -> None:
    if why == "unpriced":
        Offer.objects.filter(pk=offer.pk).update(input_price=None)
    elif why == "no offer":
        Offer.objects.filter(pk=offer.pk).delete()
    elif why == "no credential":
        offer.provider.credentials.create(env="NOT_SET_ANYWHERE")
        type(offer.provider).objects.filter(pk=offer.provider_id).update(key_optional=False)
    elif why == "kind":
        Offer.objects.filter(pk=offer.pk).update(capabilities=["audio"])
    else:
        ProbeBudget.objects.create(provider=offer.provider, daily=0)
    assert expire_block_rules() == "expired block rules: 1 ended"
    assert upstream.requests == []


def test_a_probe_that_somebody_else_made_decides_too(
    rule: BlockRule, offer: Offer, upstream: Upstream
) -> None:
    Evidence.objects.create(offer=offer, at=timezone.now(), source="probe", outcome="ok")
    assert expire_block_rules() == "expired block rules: 1 ended"
    assert upstream.requests == []


def test_traffic_from_before_decides_nothing(
    rule: BlockRule, offer: Offer, upstream: Upstream
) -> None:
    record([found(offer)])
    upstream.reply(error("openai", 404))
    assert expire_block_rules() == "expired block rules: 1 held for another day"

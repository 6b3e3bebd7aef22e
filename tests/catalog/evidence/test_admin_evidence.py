"""What the admin shows of evidence, and its one action."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from catalog.evidence.models import ProbeBudget
from catalog.evidence.recording import count_hits, record
from catalog.evidence.summaries import summarise
from catalog.evidence.verdicts import NOT_FOUND, OK, SOFT
from catalog.models import BlockRule, Offer
from tests.catalog.evidence.conftest import found
from tests.forms import errors, save

pytestmark = pytest.mark.django_db

OFFERS = "admin:catalog_offer_changelist"


def offers(client: Client, **chosen: str) -> list[str]:
    answer = client.get(reverse(OFFERS), chosen)
    return [row.model.model_id for row in answer.context["cl"].result_list]


def test_offers_are_found_by_health_and_success(admin_client: Client, offer: Offer) -> None:
    assert "acme/chat-1" in offers(admin_client, health="unknown")
    record([found(offer, OK), found(offer, SOFT), found(offer, SOFT)])
    summarise()
    assert offers(admin_client, health="up") == ["acme/chat-1"]
    assert offers(admin_client, success="below half") == ["acme/chat-1"]
    assert "33.3%" in admin_client.get(reverse(OFFERS), {"health": "up"}).content.decode()
    record([found(offer, NOT_FOUND)] * 3)
    assert offers(admin_client, health="down") == ["acme/chat-1"]
    assert "acme/chat-1" not in offers(admin_client, health="unknown")


def test_an_offers_page_shows_its_latest_evidence(admin_client: Client, offer: Offer) -> None:
    start = datetime.now(UTC) - timedelta(hours=5)
    for number in range(25):
        at = start + timedelta(minutes=11 * number)
        record([found(offer, NOT_FOUND, at, detail=f"gone-{number:02}")])
    page = admin_client.get(reverse("admin:catalog_offer_change", args=[offer.pk]))
    text = page.content.decode()
    assert "gone-24" in text
    assert "gone-05" in text
    assert "gone-04" not in text
    assert "down since" in text
    answer = save(admin_client, reverse("admin:catalog_offer_change", args=[offer.pk]))
    assert errors(answer) == ""


def test_probe_now_hands_the_offers_to_the_worker(admin_client: Client, offer: Offer) -> None:
    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    for folder in settings.CELERY_BROKER_TRANSPORT_OPTIONS.values():
        if isinstance(folder, str):
            Path(folder).mkdir(parents=True, exist_ok=True)
    before = set(queue.iterdir())
    data = {"action": "probe_now", "_selected_action": [offer.pk]}
    answer = admin_client.post(reverse(OFFERS), data, follow=True)
    assert "1 offers are being probed" in answer.content.decode()
    (message,) = set(queue.iterdir()) - before
    assert "evidence.probe_offers" in message.read_text()
    message.unlink()


def test_block_rules_show_their_hits_and_whether_they_are_half_open(admin_client: Client) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    rule = BlockRule.objects.create(pattern="acme/*", reason="router", expires_at=past)
    count_hits({rule.pk: 41}, past)
    count_hits({rule.pk: 1, 999_999: 1}, past)
    url = reverse("admin:catalog_blockrule_changelist")
    answer = admin_client.get(url, {"in_force": "half-open"})
    assert [row.counted.hits for row in answer.context["cl"].result_list] == [42]


def test_a_budget_can_be_changed(admin_client: Client, offer: Offer) -> None:
    row = ProbeBudget.objects.of(offer.provider_id)
    url = reverse("admin:evidence_probebudget_change", args=[row.pk])
    assert errors(save(admin_client, url, daily="7")) == ""
    assert ProbeBudget.objects.get(pk=row.pk).daily == 7

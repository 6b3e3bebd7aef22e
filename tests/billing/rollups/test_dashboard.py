"""The usage page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.ledger.credits import credit
from billing.ledger.posting import PAYMENTS
from billing.models import UsageRow
from billing.rollups.dashboard import dashboard
from billing.rollups.summing import roll_up
from tests.billing.ledgers import account
from tests.billing.rollups.use import book

pytestmark = pytest.mark.django_db
USD = 10**9


def test_it_shows_money_in_and_out_and_who_used_most(admin_client: Client) -> None:
    acme, other = account("Acme", 5 * USD), account("Other", USD)
    credit(acme, 3 * USD, "paid", "stripe", PAYMENTS)
    now = timezone.now()
    book(acme, now, cost_nano=USD)
    roll_up()
    book(other, now - timedelta(days=2), now, cost_nano=USD)
    shown = dashboard(now)
    assert shown["money"]["rows"] == [["3.00 USD", "0.00 USD", "6.00 USD", "3.00 USD", "0.00 USD"]]
    accounts, models, providers = shown["tables"]
    assert [row[:2] for row in accounts["rows"]] == [["Other", "2"], ["Acme", "1"]]
    assert models["rows"][0][:6] == ["chat", "3", "0", "30", "12", "3.00 USD"]
    assert providers["rows"][0][0] == "acme"
    page = admin_client.get(reverse("admin:rollups_hourlyusage_changelist")).content.decode()
    assert "Top accounts" in page
    assert "3.00 USD" in page


def test_rows_are_found_by_a_whole_request_key_or_account(admin_client: Client) -> None:
    acme, other = account("Acme"), account("Other")
    book(acme, timezone.now(), key_id="k-acme")
    book(other, timezone.now(), key_id="k-other")
    wanted = UsageRow.objects.get(account=other)
    url = reverse("admin:billing_usagerow_changelist")
    for term in (wanted.request_id, "k-other", "other", " Other "):
        found = admin_client.get(url, {"q": term}).context["cl"].result_list
        assert [row.pk for row in found] == [wanted.pk], term
    assert not admin_client.get(url, {"q": "k-oth"}).context["cl"].result_list

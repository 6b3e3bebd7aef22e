"""What is refunded or disputed leaves the account once, in whatever order Stripe tells it."""

import time
from typing import Any

import pytest
from django.test import Client

from billing.ledger.credits import credit
from billing.models import Account
from billing.payments.models import Dispute
from tests.billing.payments.telling import COMPLETED, USD, owned, refused, told
from tests.upstreams import stripe as shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_is_set_up")]


def test_refunds_add_up_and_come_in_any_order(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    told(client, COMPLETED, session)
    now = int(time.time())
    assert told(client, "charge.refunded", shop.charge(session, 500), created=now) == "booked"
    assert told(client, "charge.refunded", shop.charge(session, 500), created=now) == "ignored"
    assert told(client, "charge.refunded", shop.charge(session, 2500), created=now + 9) == "booked"
    assert told(client, "charge.refunded", shop.charge(session, 1500), created=now + 5) == "ignored"
    assert owned(acme) == 0
    too_much = shop.event("charge.refunded", shop.charge(session, 2501), created=now + 10)
    assert "more than the 2500 cents" in refused(client, too_much)


@pytest.mark.parametrize("said", [{"currency": "eur"}, {"amount_refunded": -5}])
def test_no_odd_refund_is_booked(
    client: Client, acme: Account, session: dict[str, Any], said: Any
) -> None:
    told(client, COMPLETED, session)
    refused(client, shop.event("charge.refunded", shop.charge(session, 500, **said)))
    other = session["metadata"] | {"gatewayz_account": "999"}
    refused(client, shop.event("charge.refunded", shop.charge(session, 500, metadata=other)))
    assert owned(acme) == 25 * USD


def test_a_refund_takes_a_balance_below_zero(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    told(client, COMPLETED, session)
    credit(acme, -24 * USD, "spent", "test")
    told(client, "charge.refunded", shop.charge(session, 2500))
    assert owned(acme) == -24 * USD


def test_a_refund_that_fails_is_the_accounts_again(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    told(client, COMPLETED, session)
    failed = shop.refund(session, 500, "failed")
    assert "not booked yet" in refused(client, shop.event("refund.failed", failed))
    told(client, "charge.refunded", shop.charge(session, 500))
    assert told(client, "charge.refund.updated", failed | {"status": "pending"}) == "ignored"
    assert told(client, "refund.failed", failed) == "booked"
    assert told(client, "charge.refund.updated", failed) == "ignored"
    assert owned(acme) == 25 * USD
    assert told(client, "charge.refunded", shop.charge(session, 500), created=1) == "ignored"
    later = int(time.time()) + 60
    assert told(client, "charge.refunded", shop.charge(session, 700), created=later) == "booked"
    assert owned(acme) == 18 * USD


def disputes(client: Client, session: dict[str, Any], *steps: str) -> list[str]:
    """Tell the steps of one dispute, each `created needs_response` or the like."""
    number = shop.new_id("dp")
    return [
        told(client, f"charge.dispute.{kind}", shop.dispute(session, status, number))
        for kind, status in (step.split() for step in steps)
    ]


OPENED, WITHDRAWN = "created needs_response", "funds_withdrawn needs_response"
WON, LOST, BACK = "closed won", "closed lost", "funds_reinstated won"


@pytest.mark.parametrize(
    ("steps", "left", "state"),
    [
        ((OPENED,), 0, "opened"),
        ((OPENED, WITHDRAWN, OPENED), 0, "opened"),
        ((OPENED, LOST, LOST), 0, "lost"),
        ((OPENED, WON), 25, "won"),
        ((OPENED, WITHDRAWN, BACK, WON), 25, "won"),
        ((WON, OPENED, WITHDRAWN), 25, "won"),
        ((LOST, OPENED), 0, "lost"),
        ((OPENED, WON, OPENED), 25, "won"),
        (("created warning_needs_response", "closed warning_closed"), 25, ""),
        (("created warning_needs_response", WITHDRAWN), 0, "opened"),
    ],
)
def test_a_dispute_takes_and_gives_back_once(
    client: Client,
    acme: Account,
    session: dict[str, Any],
    steps: tuple[str, ...],
    left: int,
    state: str,
) -> None:
    told(client, COMPLETED, session)
    disputes(client, session, *steps)
    assert owned(acme) == left * USD
    assert [row.state for row in Dispute.objects.all()] == ([state] if state else [])


def test_no_dispute_of_more_than_was_paid(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    odd = shop.dispute(session, "needs_response")
    told(client, COMPLETED, session)
    refused(client, shop.event("charge.dispute.created", odd | {"amount": 2501}))
    refused(client, shop.event("charge.dispute.created", odd | {"currency": "gbp"}))
    told(client, "charge.dispute.created", odd)
    refused(client, shop.event("charge.dispute.closed", odd | {"amount": 5, "status": "won"}))
    assert owned(acme) == 0

"""Tells the gateway what Stripe would, and what came of it."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from billing.ledger.checking import differences
from billing.ledger.models import Transaction
from billing.models import Account
from tests.upstreams import stripe as shop

CENT, USD = 10**7, 10**9
START = 100  # of Acme's balance, in nano-USD
COMPLETED = "checkout.session.completed"


def tell(client: Client, body: bytes, **how: Any) -> HttpResponse:
    signed = shop.signature(body, **how)
    return client.post(
        "/webhooks/stripe",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signed},
    )


def told(client: Client, kind: str, about: dict[str, Any], **said: Any) -> str:
    """Tell, and return how it came out; AssertionError with the refusal."""
    answer = tell(client, shop.event(kind, about, **said))
    assert answer.status_code == 200, answer.content
    return answer.json()["outcome"]


def refused(client: Client, body: bytes, **how: Any) -> str:
    """Tell what must be refused, and return why; nothing may be booked."""
    before = Transaction.objects.count()
    answer = tell(client, body, **how)
    error = json.loads(answer.content)["error"]
    assert (answer.status_code, error["code"]) == (400, "payment_refused")
    assert Transaction.objects.count() == before
    return error["message"]


def owned(row: Account) -> int:
    row.refresh_from_db()
    assert differences() == []
    return row.balance_nano - START

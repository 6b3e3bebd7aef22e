"""What Stripe tells is booked once and exactly, or not at all."""

from typing import Any

import pytest
from django.core import checks
from django.test import Client

from billing.ledger.models import Transaction
from billing.models import Account
from billing.payments.checkout import open_checkout
from billing.payments.models import PaymentSession, StripeEvent
from providers.errors import NoProviderAvailable
from tests.billing.ledgers import account
from tests.billing.payments.telling import CENT, COMPLETED, START, USD, owned, refused, tell, told
from tests.upstreams import stripe as shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe_is_set_up")]


def test_a_checkout_names_the_account_the_amount_and_nothing_else(
    acme: Account, stripe_is_set_up: shop.Checkout
) -> None:
    url = open_checkout(acme, 2500, "key k1", "http://gateway/")
    [opened] = stripe_is_set_up.sessions.values()
    row = PaymentSession.objects.get()
    assert url == opened["url"]
    assert (row.stripe_id, row.asked_cents, row.account) == (opened["id"], 2500, acme)
    ours = {"gatewayz_payment": str(row.pk), "gatewayz_account": str(acme.pk)}
    assert opened["metadata"] == opened["_of_payment"] == ours
    assert (opened["amount_total"], opened["currency"]) == (2500, "usd")
    assert owned(acme) == 0


def test_what_was_paid_is_the_accounts(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    assert told(client, COMPLETED, session) == "booked"
    assert owned(acme) == 25 * USD
    booked = Transaction.objects.get(kind="top-up")
    sides = {row.ledger_account.kind: row.amount_nano for row in booked.postings.all()}
    assert sides == {"customer": 25 * USD, "payments": -25 * USD}
    assert booked.reference == f"stripe:{session['payment_intent']}"
    assert PaymentSession.objects.get().state == "paid"


def test_a_notice_that_comes_again_books_nothing(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    body = shop.event(COMPLETED, session)
    assert [tell(client, body).json()["outcome"] for _ in range(3)] == [
        "booked",
        "ignored",
        "ignored",
    ]
    assert told(client, COMPLETED, session) == "ignored"
    assert told(client, "checkout.session.async_payment_succeeded", session) == "ignored"
    assert owned(acme) == 25 * USD


def test_the_amount_is_what_stripe_says_was_paid(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    told(client, COMPLETED, session | {"amount_total": 2001})
    assert owned(acme) == 2001 * CENT


def test_nothing_is_booked_before_it_is_paid(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    assert told(client, COMPLETED, session | {"payment_status": "unpaid"}) == "ignored"
    assert owned(acme) == 0
    assert told(client, "checkout.session.async_payment_succeeded", session) == "booked"
    assert owned(acme) == 25 * USD


def test_a_checkout_may_run_out(client: Client, acme: Account, session: dict[str, Any]) -> None:
    unpaid = session | {"payment_intent": None, "payment_status": "unpaid", "status": "expired"}
    assert told(client, "checkout.session.expired", unpaid) == "ignored"
    assert PaymentSession.objects.get().state == "expired"
    assert owned(acme) == 0


@pytest.mark.parametrize(
    ("how", "header"),
    [
        ({"secret": "whsec_other"}, None),
        ({"secret": ""}, None),
        ({"at": 1_000_000_000}, None),
        ({}, ""),
        ({}, "t=1,v1=aa"),
        ({}, "v1=" + "a" * 64),
        ({}, "nonsense"),
        ({}, "t=99999999999999999999999,v1=" + "a" * 64),
    ],
    ids=["another secret", "empty secret", "old", "none", "short", "no time", "nonsense", "huge"],
)
def test_what_stripe_did_not_sign_is_refused(
    client: Client, acme: Account, session: dict[str, Any], how: Any, header: str | None
) -> None:
    body = shop.event(COMPLETED, session)
    signed = shop.signature(body, **how) if header is None else header
    headers = {"Stripe-Signature": signed} if signed else {}
    answer = client.post("/webhooks/stripe", body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert b"not signed" in answer.content
    assert owned(acme) == 0
    assert not StripeEvent.objects.exists()


def test_a_body_that_was_changed_is_refused(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    body = shop.event(COMPLETED, session)
    signed = shop.signature(body)
    changed = body.replace(b"2500", b"9900")
    assert changed != body
    answer = client.post(
        "/webhooks/stripe",
        changed,
        content_type="application/json",
        headers={"Stripe-Signature": signed},
    )
    assert answer.status_code == 400
    assert owned(acme) == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"id": 1}', b"[" * 10_000, b'"x"'],
    ids=lambda body: repr(body[:9]),
)
def test_what_is_no_notice_is_refused_even_signed(client: Client, body: bytes) -> None:
    refused(client, body)


ODD = {
    "another currency": ({"currency": "eur"}, "Only USD"),
    "no currency": ({"currency": None}, "Only USD"),
    "an unknown currency": ({"currency": "zzz"}, "Only USD"),
    "a negative amount": ({"amount_total": -2500}, "No payment can be"),
    "nothing": ({"amount_total": 0}, "No payment can be"),
    "no amount": ({"amount_total": None}, "No payment can be"),
    "an enormous amount": ({"amount_total": 10**8}, "No payment can be"),
    "more than a column holds": ({"amount_total": 10**30}, "No payment can be"),
    "an amount in words": ({"amount_total": "2500"}, "cannot be read"),
    "a broken amount": ({"amount_total": 25.5}, "cannot be read"),
    "no payment": ({"payment_intent": None}, "names no payment"),
    "another checkout": ({"id": "cs_test_other"}, "another checkout"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_is_not_booked(
    client: Client, acme: Account, session: dict[str, Any], name: str
) -> None:
    said, why = ODD[name]
    assert why in refused(client, shop.event(COMPLETED, session | said))
    assert owned(acme) == 0
    row = StripeEvent.objects.get()
    assert row.outcome == "refused"
    assert why in row.said


def test_a_notice_for_another_account_is_refused(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    other = account("Other", nano=START)
    ours = session["metadata"]
    for metadata in (
        ours | {"gatewayz_account": str(other.pk)},
        ours | {"gatewayz_payment": "00000000-0000-0000-0000-000000000000"},
        ours | {"gatewayz_payment": "1"},
        {"gatewayz_payment": ours["gatewayz_payment"]},
    ):
        refused(client, shop.event(COMPLETED, session | {"metadata": metadata}))
    assert "another Stripe account" in refused(
        client, shop.event(COMPLETED, session, account="acct_other")
    )
    assert owned(acme) == owned(other) == 0


@pytest.mark.parametrize("metadata", [{}, None, {"shop": "7"}])
def test_what_others_sell_is_none_of_ours(
    client: Client, acme: Account, session: dict[str, Any], metadata: Any
) -> None:
    assert told(client, COMPLETED, session | {"metadata": metadata}) == "ignored"
    assert told(client, "customer.created", {"id": "cus_1"}) == "ignored"
    assert owned(acme) == 0


def test_one_payment_is_not_booked_for_two_checkouts(
    client: Client, acme: Account, session: dict[str, Any], stripe_is_set_up: shop.Checkout
) -> None:
    told(client, COMPLETED, session)
    open_checkout(acme, 2500, "key k1", "http://gateway/")
    second = list(stripe_is_set_up.sessions.values())[1]
    again = shop.paid(second, payment_intent=session["payment_intent"])
    assert "another checkout" in refused(client, shop.event(COMPLETED, again))
    twice = shop.paid(session)
    assert "another payment" in refused(client, shop.event(COMPLETED, twice))
    assert owned(acme) == 25 * USD


def test_what_was_refused_is_looked_at_again(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    early = shop.event("charge.refunded", shop.charge(session, 500))
    assert "not booked yet" in refused(client, early)
    told(client, COMPLETED, session)
    assert tell(client, early).json()["outcome"] == "booked"
    assert owned(acme) == 20 * USD
    assert StripeEvent.objects.get(kind="charge.refunded").tries == 2


def test_without_secrets_there_is_no_such_address(
    client: Client, acme: Account, session: dict[str, Any], settings: Any
) -> None:
    body = shop.event(COMPLETED, session)
    for name in ("STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"):
        kept = getattr(settings, name)
        for empty in ("", "  "):
            setattr(settings, name, empty)
            assert tell(client, body, secret="").status_code == 404
            assert client.get("/webhooks/stripe").status_code == 404
            said = [error.msg for error in checks.run_checks() if error.id == "payments.E001"]
            assert said
            assert f"{name} is not" in said[0]
        setattr(settings, name, kept)
    assert client.get("/webhooks/stripe").status_code == 405
    assert owned(acme) == 0


def test_both_secrets_or_neither_pass_the_checks(settings: Any) -> None:
    assert not [error for error in checks.run_checks() if error.id.startswith("payments")]
    settings.STRIPE_SECRET_KEY = settings.STRIPE_WEBHOOK_SECRET = ""
    assert not [error for error in checks.run_checks() if error.id.startswith("payments")]


def test_stripes_refusal_is_no_fault_of_the_clients(acme: Account, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(NoProviderAvailable) as problem:
        open_checkout(acme, 2500, "key k1", "http://gateway/")
    assert "sk_test" not in str(problem.value)
    assert PaymentSession.objects.get().stripe_id is None


def test_a_payment_whose_answer_was_lost_finds_its_account(
    client: Client, acme: Account, session: dict[str, Any]
) -> None:
    PaymentSession.objects.update(stripe_id=None)
    told(client, COMPLETED, session)
    assert owned(acme) == 25 * USD
    assert PaymentSession.objects.get().stripe_id == session["id"]

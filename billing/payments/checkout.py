"""Opens a Checkout at Stripe, where a card is asked for; what is paid there comes by webhook."""

import logging
from typing import TYPE_CHECKING

from django.conf import settings

from billing import money
from billing.models import Account
from billing.payments.models import PaymentSession
from providers.errors import BadRequest, NoProviderAvailable

if TYPE_CHECKING:
    import stripe

LEAST_CENTS, MOST_CENTS = 100, 99_999_999  # the second is Stripe's own
TIMEOUTS_S = (5, 20)
log = logging.getLogger(__name__)


def cents(amount: str) -> int:
    """Return the cents of an amount in USD; raises BadRequest."""
    try:
        whole, rest = divmod(money.nano(amount), money.NANO_PER_CENT)
    except money.BadAmount as problem:
        raise BadRequest(str(problem), param="amount") from problem
    if rest or not LEAST_CENTS <= whole <= MOST_CENTS:
        raise BadRequest(
            "`amount` is from 1.00 to 999999.99 USD, with two decimals at most.", param="amount"
        )
    return whole


def client() -> "stripe.StripeClient":
    """Return Stripe's client. Its package takes half a second to import: only who needs it does."""
    import stripe

    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE.rstrip("/")},
        http_client=stripe.RequestsClient(timeout=TIMEOUTS_S),
        max_network_retries=1,
    )


def open_checkout(account: Account, amount_cents: int, author: str, back_to: str) -> str:
    """Return the address where the account's holder pays; raises NoProviderAvailable.

    Our row comes first: a payment whose answer was lost still finds its account.
    """
    import stripe

    session = PaymentSession.objects.create(
        account=account, asked_cents=amount_cents, author=author[:150]
    )
    try:
        made = client().v1.checkout.sessions.create(
            asked(session, back_to), {"idempotency_key": str(session.pk)}
        )
    except stripe.StripeError as problem:
        log.error("Stripe opened no checkout: %s", problem)
        raise NoProviderAvailable("Payments by card cannot be taken now.") from problem
    PaymentSession.objects.filter(pk=session.pk, stripe_id=None).update(stripe_id=made.id)
    return str(made.url)


def asked(session: PaymentSession, back_to: str) -> "stripe.params.checkout.SessionCreateParams":
    """Return what Stripe is asked for. The metadata come back with every notice of the payment."""
    ours = {"gatewayz_payment": str(session.pk), "gatewayz_account": str(session.account_id)}
    return {
        "mode": "payment",
        "client_reference_id": str(session.pk),
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
        "success_url": settings.STRIPE_RETURN_URL or back_to,
        "cancel_url": settings.STRIPE_RETURN_URL or back_to,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": session.asked_cents,
                    "product_data": {"name": f"Credits for {session.account}"},
                },
            }
        ],
    }

"""Takes Stripe's notices: signed or nothing, each booked once, and a row of every one."""

import logging

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.db.transaction import atomic
from django.utils import timezone

from billing.payments.booking import BOOKED, IGNORED, KINDS, Outcome
from billing.payments.checks import is_open
from billing.payments.models import StripeEvent
from billing.payments.notices import Event, read
from providers.errors import NotFound, PaymentRefused

TOLERANCE_S = 300
log = logging.getLogger(__name__)


def receive(payload: bytes, signature: str | None) -> Outcome:
    """Do what a notice says, and return what that was. Raises NotFound or PaymentRefused.

    What was refused may be sent again, and is looked at again; what was done is not done twice.
    """
    event = verified(payload, signature)
    known = StripeEvent.objects.filter(event_id=event.id, outcome__in=(BOOKED, IGNORED)).first()
    if known is not None:
        return IGNORED, f"told before: {known.said}"
    try:
        with atomic():
            outcome = act(event)
            note(event, outcome)
    except PaymentRefused as problem:
        log.error("Stripe's notice %s (%s) was refused: %s", event.id, event.type, problem)
        note(event, (StripeEvent.REFUSED, str(problem)))
        raise
    log.info("Stripe's notice %s (%s): %s", event.id, event.type, outcome[1])
    return outcome


def verified(payload: bytes, signature: str | None) -> Event:
    """Return the notice if Stripe signed it, a few minutes ago at most."""
    if not is_open():
        raise NotFound("Payments by card are not taken here.")
    import stripe

    try:
        stripe.WebhookSignature.verify_header(
            payload, signature, settings.STRIPE_WEBHOOK_SECRET, TOLERANCE_S
        )
    except (stripe.SignatureVerificationError, ValueError) as problem:
        log.warning("a notice without Stripe's signature was refused")
        raise PaymentRefused("The notice is not signed, or was signed too long ago.") from problem
    return read(payload, Event)


def act(event: Event) -> Outcome:
    if event.account:
        raise PaymentRefused("The notice is about another Stripe account.")
    handler = KINDS.get(event.type)
    return handler(event) if handler else (IGNORED, "nothing to book in that")


def note(event: Event, outcome: Outcome) -> None:
    """Keep what became of the notice; a later try of the same one counts."""
    kept = {"outcome": outcome[0], "said": outcome[1][:300]}
    try:
        with atomic():
            StripeEvent.objects.create(event_id=event.id[:200], kind=event.type[:100], **kept)
    except IntegrityError:
        StripeEvent.objects.filter(event_id=event.id[:200]).update(
            tries=F("tries") + 1, received_at=timezone.now(), **kept
        )

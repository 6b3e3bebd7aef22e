"""Books what Stripe's notices say: a function per kind, each within one database transaction.

A notice may come twice, late, or before the one that it follows from. What is booked follows from
the payment's row, which is locked, and from references that the ledger takes once.
"""

import logging
from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from billing import money
from billing.ledger.credits import book_credit
from billing.ledger.posting import PAYMENTS, AlreadyBooked, Because
from billing.payments import notices
from billing.payments.models import Dispute, PaymentSession, StripeEvent
from billing.payments.notices import Charge, Disputed, Event, Paid, Refund, check_amount
from providers.errors import PaymentRefused

BOOKED, IGNORED = StripeEvent.BOOKED, StripeEvent.IGNORED
Outcome = tuple[str, str]
NOT_OURS = IGNORED, "no payment of this gateway"
BEFORE = IGNORED, "this was booked before"
log = logging.getLogger(__name__)


def paid(event: Event) -> Outcome:
    said = notices.read(event.data.object, Paid)
    session = session_of(said)
    if session is None:
        return NOT_OURS
    if said.payment_status != "paid":
        return IGNORED, f"not paid yet: {said.payment_status[:40]}"
    amount = check_amount(said.currency, said.amount_total)
    if not said.payment_intent:
        raise PaymentRefused("The notice names no payment.")
    if session.state == PaymentSession.PAID:
        if session.payment_intent != said.payment_intent:
            raise PaymentRefused("This checkout was paid by another payment before.")
        return BEFORE
    if PaymentSession.objects.filter(payment_intent=said.payment_intent).exists():
        raise PaymentRefused("This payment was booked for another checkout.")
    session.state, session.paid_at = PaymentSession.PAID, timezone.now()
    session.paid_cents, session.payment_intent = amount, said.payment_intent
    session.save()
    return book(session, amount, f"stripe:{said.payment_intent}", "paid by card")


def expired(event: Event) -> Outcome:
    session = session_of(notices.read(event.data.object, Paid))
    if session is None:
        return NOT_OURS
    if session.state == PaymentSession.OPEN:
        session.state = PaymentSession.EXPIRED
        session.save()
    return IGNORED, f"the checkout is {session.state}"


def refunded(event: Event) -> Outcome:
    """The charge tells the sum of its refunds: what is new of it is taken back."""
    said = notices.read(event.data.object, Charge)
    session = payment_of(said)
    if session is None:
        return NOT_OURS
    total = check_amount(said.currency, said.amount_refunded, least=0)
    check_most(session, total)
    fresh = total - session.refunded_cents
    if event.created < session.refunded_at or fresh <= 0:
        return BEFORE
    session.refunded_cents, session.refunded_at = total, event.created
    session.save()
    return book(session, -fresh, f"stripe:{event.id}", "refunded")


def refund_failed(event: Event) -> Outcome:
    """The card's bank did not take a refund: it is the account's again."""
    said = notices.read(event.data.object, Refund)
    session = payment_of(said)
    if session is None:
        return NOT_OURS
    if said.status != "failed":
        return IGNORED, f"the refund is {(said.status or '')[:40]}"
    amount = check_amount(said.currency, said.amount)
    outcome = book(session, amount, f"stripe:failed:{said.id}", "a refund failed")
    if outcome == BEFORE:
        return BEFORE
    if amount > session.refunded_cents:
        raise PaymentRefused("The refund that failed was not booked yet.")
    session.refunded_cents -= amount
    session.refunded_at = max(session.refunded_at, event.created)
    session.save()
    return outcome


def disputed(event: Event) -> Outcome:
    """The bank takes the money when a dispute opens, and gives it back if it is won.

    A dispute that only asks, `warning_…`, moves nothing.
    """
    said = notices.read(event.data.object, Disputed)
    session = payment_of(said)
    if session is None:
        return NOT_OURS
    amount = check_amount(said.currency, said.amount)
    check_most(session, amount)
    if said.status.startswith("warning_"):
        return IGNORED, f"nothing moved: {said.status[:40]}"
    row, fresh = Dispute.objects.get_or_create(
        stripe_id=said.id,
        defaults={
            "session": session,
            "amount_cents": amount,
            "state": Dispute.OPENED,
            "reason": said.reason[:100],
        },
    )
    if row.session_id != session.pk or row.amount_cents != amount:
        raise PaymentRefused("The dispute was of another payment or amount before.")
    return settle(row, session, ending(event, said), fresh)


def ending(event: Event, said: Disputed) -> str:
    """Return the state that a notice of a dispute tells."""
    if said.status == Dispute.WON or event.type == "charge.dispute.funds_reinstated":
        return Dispute.WON
    return Dispute.LOST if said.status == Dispute.LOST else Dispute.OPENED


def settle(row: Dispute, session: PaymentSession, state: str, fresh: bool) -> Outcome:
    """Move the money that goes with the new state. What was won before it opened moves none."""
    reference = f"stripe:{row.stripe_id}"
    won_before = row.state == Dispute.WON
    if won_before or (fresh and state == Dispute.WON):
        row.state = Dispute.WON
        row.save()
        return BEFORE if won_before else (IGNORED, "won before we knew of it")
    opened = book(session, -row.amount_cents, f"{reference}:opened", "disputed")
    if state == Dispute.WON:
        opened = book(session, row.amount_cents, f"{reference}:won", "dispute won")
    if state != Dispute.OPENED:
        row.state = state
        row.save()
    return opened


def session_of(said: Paid) -> PaymentSession | None:
    """Return our row of a Checkout, locked; None where it is not ours. Raises PaymentRefused."""
    session = named(said.metadata)
    if session is None:
        return None
    if session.stripe_id not in (None, said.id):
        raise PaymentRefused("The notice is of another checkout than ours.")
    session.stripe_id = said.id
    return session


def payment_of(said: Charge | Refund | Disputed) -> PaymentSession | None:
    """Return the row of what was paid, locked; None where it is not ours. Raises PaymentRefused."""
    if not said.payment_intent:
        return None
    rows = PaymentSession.objects.select_for_update(of=("self",)).select_related("account")
    session = rows.filter(payment_intent=said.payment_intent).first()
    claimed = named(said.metadata)
    if session is None and claimed is not None:
        raise PaymentRefused("The payment that this is about was not booked yet.")
    if session is not None and claimed not in (None, session):
        raise PaymentRefused("The notice names another payment than ours.")
    return session


def named(metadata: dict[str, str] | None) -> PaymentSession | None:
    """Return the row that our own metadata name, locked; None without them."""
    if not metadata or "gatewayz_payment" not in metadata:
        return None
    try:
        key = UUID(metadata["gatewayz_payment"])
    except ValueError as problem:
        raise PaymentRefused("The notice names no payment of ours.") from problem
    rows = PaymentSession.objects.select_for_update(of=("self",)).select_related("account")
    session = rows.filter(pk=key).first()
    if session is None:
        raise PaymentRefused("The notice names a payment that we did not ask for.")
    if metadata.get("gatewayz_account") != str(session.account_id):
        raise PaymentRefused("The notice names another account than the payment's.")
    return session


def check_most(session: PaymentSession, amount: int) -> None:
    if amount > session.paid_cents:
        raise PaymentRefused(f"That is more than the {session.paid_cents} cents that were paid.")


def book(session: PaymentSession, cents: int, reference: str, reason: str) -> Outcome:
    """Book cents for the account, negative ones back; a balance may go below zero."""
    because = Because("top-up" if cents > 0 else "refund", reference, reason, "stripe")
    try:
        book_credit(session.account, cents * money.NANO_PER_CENT, because, PAYMENTS)
    except AlreadyBooked:
        return BEFORE
    except money.BadAmount as problem:
        raise PaymentRefused(str(problem)) from problem
    return BOOKED, f"{reason}: {money.written(cents * money.NANO_PER_CENT)} for {session.account}"


KINDS: dict[str, Callable[[Event], Outcome]] = {
    "checkout.session.completed": paid,
    "checkout.session.async_payment_succeeded": paid,
    "checkout.session.expired": expired,
    "charge.refunded": refunded,
    "refund.failed": refund_failed,
    "charge.refund.updated": refund_failed,
    "charge.dispute.created": disputed,
    "charge.dispute.funds_withdrawn": disputed,
    "charge.dispute.funds_reinstated": disputed,
    "charge.dispute.closed": disputed,
}

"""What Stripe tells us, as far as we read it. Amounts are cents; types are checked."""

from typing import TypeVar

import msgspec

from providers.errors import PaymentRefused

MOST_CENTS = 99_999_999  # Stripe's own bound of a payment in USD
Said = TypeVar("Said", bound=msgspec.Struct)


class Data(msgspec.Struct):
    object: msgspec.Raw


class Event(msgspec.Struct):
    """account: another Stripe account, on whose behalf it is sent."""

    id: str
    type: str
    created: int
    data: Data
    account: str | None = None


class Paid(msgspec.Struct, kw_only=True):
    """A Checkout session. amount_total: what was paid, taxes and discounts in it."""

    id: str
    currency: str | None = None
    amount_total: int | None = None
    payment_status: str = ""
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Charge(msgspec.Struct, kw_only=True):
    """amount_refunded: of all its refunds together."""

    id: str
    currency: str
    amount_refunded: int
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Refund(msgspec.Struct, kw_only=True):
    id: str
    currency: str
    amount: int
    status: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Disputed(msgspec.Struct, kw_only=True):
    id: str
    currency: str
    amount: int
    status: str
    reason: str = ""
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


def read(body: bytes | msgspec.Raw, kind: type[Said]) -> Said:
    """Return what `body` says; raises PaymentRefused."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError) as problem:
        raise PaymentRefused(f"The notice cannot be read: {problem}.") from problem


def check_amount(currency: str | None, amount: int | None, least: int = 1) -> int:
    """Return cents that can be booked; raises PaymentRefused."""
    if (currency or "").lower() != "usd":
        raise PaymentRefused(f"Only USD is taken, not {(currency or 'no currency')[:10]!r}.")
    if amount is None or not least <= amount <= MOST_CENTS:
        raise PaymentRefused(f"No payment can be of {str(amount)[:30]} cents.")
    return amount

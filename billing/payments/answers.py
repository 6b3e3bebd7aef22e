"""What key holders are told about money that they bring: plain values."""

from typing import Any

from billing import money
from billing.models import Account
from billing.payments import checkout, codes
from billing.payments.checks import is_open
from billing.values import Key
from providers.errors import NotFound


def redeemed(key: Key, code: str) -> dict[str, Any]:
    """Redeem a code for the key's account; raises CodeRefused."""
    account = Account.objects.get(pk=key.account_id)
    amount = codes.redeem(account, code, f"key {key.public_id}")
    return {"amount": money.plain(amount), "balance": money.plain(account.balance_nano)}


def opened(key: Key, amount: str, back_to: str) -> dict[str, Any]:
    """Open a Checkout for the key's account; raises NotFound where cards are not taken."""
    if not is_open():
        raise NotFound("Payments by card are not taken here.")
    cents = checkout.cents(amount)
    account = Account.objects.get(pk=key.account_id)
    url = checkout.open_checkout(account, cents, f"key {key.public_id}", back_to)
    return {"url": url, "amount": money.plain(cents * money.NANO_PER_CENT)}

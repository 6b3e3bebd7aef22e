"""Usage, said briefly, and booked as the bookkeeper books it."""

from datetime import datetime
from typing import Any

from django.db.transaction import atomic

from billing.books.entries import enter
from billing.models import Account
from providers.values import Usage
from tests.billing.lines import record


def book(account: Account, *moments: datetime, cost_nano: int = 7, **said: Any) -> None:
    """Book one request at each of `moments`, all in one transaction of the ledger."""
    first = book.count + 1
    book.count += len(moments)
    said = {"usage": Usage(10, 4)} | said
    with atomic():
        enter(
            [
                record(f"gen-{first + n}", account.pk, cost_nano, at=at.timestamp(), **said)
                for n, at in enumerate(moments)
            ]
        )


book.count = 0

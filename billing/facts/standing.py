"""What an account was given, has spent and owns."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from billing import money
from billing.ledger.models import LedgerAccount, Posting
from billing.models import Account

GIVEN = ("payments", "adjustments", "promotions")  # where what an account is given comes from


@dataclass(frozen=True, slots=True)
class Standing:
    """Money of an account in nano-USD; given - used = balance, of which some is held."""

    given_nano: int
    balance_nano: int
    held_nano: int

    @property
    def used_nano(self) -> int:
        return self.given_nano - self.balance_nano


def given(account_ids: list[int]) -> QuerySet[Posting]:
    """Return the postings that gave the accounts money or took it back, the newest first.

    Found from the few postings on the other side, not among the many of usage.
    """
    sources = LedgerAccount.objects.filter(kind__in=GIVEN)
    transactions = Posting.objects.filter(ledger_account__in=sources).values("transaction")
    return (
        Posting.objects.filter(transaction__in=transactions)
        .filter(ledger_account__account__in=account_ids)
        .select_related("transaction", "ledger_account__account")
        .order_by("-transaction__created_at", "-pk")
    )


def standing(account: Account) -> Standing:
    total = given([account.pk]).order_by().aggregate(total=Sum("amount_nano"))["total"]
    return Standing(total or 0, account.balance_nano, account.held_nano)


def credits_of(account_id: int) -> dict[str, Any]:
    """Return the account's money as decimal strings of USD."""
    found = standing(Account.objects.get(pk=account_id))
    return {
        "total_credits": money.plain(found.given_nano),
        "total_usage": money.plain(found.used_nano),
        "held": money.plain(found.held_nano),
        "balance": money.plain(found.balance_nano),
    }

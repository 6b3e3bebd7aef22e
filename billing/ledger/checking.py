"""Proves the ledger: each check returns the differences that it finds, and none is good."""

from collections.abc import Callable

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.leases.checking import leased
from billing.ledger import triggers
from billing.ledger.models import HOLDS, OWNED, Posting, Transaction
from billing.models import Account
from billing.money import written
from billing.rollups.checking import usage

MOST_SHOWN = 100


def guarded() -> list[str]:
    """The database's own guards are in place."""
    missing = sorted(triggers.NAMES - triggers.present(connection))
    return [f"the database has no trigger {name}" for name in missing]


def balanced() -> list[str]:
    """Every transaction has two sides at least, and sums to zero."""
    rows = Transaction.objects.annotate(total=Sum("postings__amount_nano"), sides=Count("postings"))
    wrong = rows.filter(~Q(total=0) | Q(sides__lt=2))[:MOST_SHOWN]
    return [f"{row}: {row.sides} postings sum to {written(row.total or 0)}" for row in wrong]


def balances() -> list[str]:
    """What an account owns and what of it is held is what its postings say."""
    rows = Account.objects.annotate(
        owned=posted(OWNED, "amount_nano"), posted_holds=posted((HOLDS,), "amount_nano")
    )
    wrong = rows.exclude(balance_nano=F("owned"), held_nano=F("posted_holds"))[:MOST_SHOWN]
    return [
        f"{row}: owns {written(row.balance_nano)}, postings say {written(row.owned)}; "
        f"held are {written(row.held_nano)}, postings say {written(row.posted_holds)}"
        for row in wrong
    ]


def posted(kinds: tuple[str, ...], column: str) -> Coalesce:
    rows = Posting.objects.filter(
        ledger_account__account=OuterRef("pk"), ledger_account__kind__in=kinds
    ).order_by()
    total = rows.values("ledger_account__account").annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(total), 0)


CHECKS: list[Callable[[], list[str]]] = [guarded, balanced, balances, usage, leased]


def differences() -> list[str]:
    """Return everything that is wrong, in words."""
    return [difference for check in CHECKS for difference in check()]

"""Proves leases: see billing/ledger/checking.py."""

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.leases.models import Lease
from billing.models import Account
from billing.money import written

MOST_SHOWN = 100


def leased() -> list[str]:
    """What is held of an account is in its leases, and none is below zero."""
    rows = Lease.objects.filter(account=OuterRef("pk")).order_by()
    total = rows.values("account").annotate(total=Sum("amount_nano")).values("total")
    accounts = Account.objects.annotate(leased=Coalesce(Subquery(total), 0))
    wrong = accounts.exclude(held_nano=F("leased"))[:MOST_SHOWN]
    below = Lease.objects.filter(amount_nano__lt=0)[:MOST_SHOWN]
    return [
        f"{row}: held are {written(row.held_nano)}, its leases say {written(row.leased)}"
        for row in wrong
    ] + [f"{row}: its lease is below zero" for row in below]

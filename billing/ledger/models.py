"""The ledger's rows. They are only ever added: triggers refuse every change to them."""

import os
import time
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from billing import money

CUSTOMER = "customer"
HOLDS = "holds"
KINDS = {
    CUSTOMER: "what an account owns and may spend",
    HOLDS: "what processes took of it, to admit requests against",
    "revenue": "what requests were charged",
    "provider_cost": "what providers' answers cost us",
    "provider_payable": "what we owe providers for them",
    "payments": "money that came in",
    "adjustments": "given or taken by an admin",
    "promotions": "given by codes",
}
OWNED = (CUSTOMER, HOLDS)  # one of each per account; the other kinds have none


def new_id() -> UUID:
    """Return an id that sorts by time: 48 bits of milliseconds, 80 of chance."""
    return UUID(bytes=(time.time_ns() // 1_000_000).to_bytes(6) + os.urandom(10))


class LedgerAccount(models.Model):
    """One side that postings can be on."""

    kind = models.CharField(max_length=20, choices=KINDS)
    account = models.ForeignKey(
        "billing.Account", models.PROTECT, null=True, related_name="ledger_accounts"
    )
    provider = models.CharField(max_length=63, blank=True)

    class Meta:
        ordering = ["kind", "account", "provider"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"], condition=Q(account__isnull=False), name="one_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["kind", "provider"], condition=Q(account=None), name="one_without_account"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OWNED, account__isnull=False)
                | ~Q(kind__in=OWNED) & Q(account=None),
                name="customers_have_accounts",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.kind, self.account, self.provider) if part)


class Transaction(models.Model):
    """What moved at one moment, and why. It is added after its postings, and seals them.

    reference: what it books, such as `stripe:evt_1`; booked once whatever is repeated.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, help_text="usage, hold, top-up, adjustment, …")
    reference = models.CharField(max_length=200, unique=True)
    reason = models.CharField(max_length=300, blank=True)
    author = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Posting(models.Model):
    """One side of a transaction. Positive on a customer's side: money that the account owns."""

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="postings")
    ledger_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="postings")
    amount_nano = models.BigIntegerField(help_text="In nano-USD.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{money.written(self.amount_nano)} on {self.ledger_account}"

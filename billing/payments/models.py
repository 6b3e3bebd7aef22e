"""Promotion codes, and payments by card with what became of them."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from billing import money


class PromotionCodeQuerySet(models.QuerySet):
    def usable(self) -> "PromotionCodeQuerySet":
        """Those that can be redeemed now, as far as the code itself goes."""
        young = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(young, withdrawn_at=None, uses__lt=F("most_uses"))

    def withdraw(self) -> int:
        """Refuse these codes from now on; what was redeemed stays."""
        return self.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())


class PromotionCode(models.Model):
    """Gives an account money, once each. Only a digest is kept."""

    batch = models.CharField(max_length=100, help_text="What it was made for.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4)
    amount_nano = models.BigIntegerField()
    most_uses = models.PositiveIntegerField(default=1, help_text="By as many accounts.")
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    author = models.CharField(max_length=150, blank=True)

    objects = PromotionCodeQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(uses__lte=F("most_uses")), name="code_used_too_often"
            ),
            models.CheckConstraint(condition=Q(amount_nano__gt=0), name="code_gives_something"),
        ]

    def __str__(self) -> str:
        return f"…{self.last4} of {self.batch}"


class Redemption(models.Model):
    """A code that an account redeemed."""

    code = models.ForeignKey(PromotionCode, models.PROTECT, related_name="redemptions")
    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="redemptions")
    transaction = models.OneToOneField("ledger.Transaction", models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["code", "account"], name="code_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.code} by {self.account}"


class PaymentSession(models.Model):
    """A Checkout that we opened at Stripe for an account, and the payment that came of it.

    Amounts are in cents of a USD, as Stripe counts them. refunded_at: when the last refund that we
    know happened, in Unix seconds, as Stripe's clock says.
    """

    OPEN, PAID, EXPIRED = "open", "paid", "expired"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="payments")
    state = models.CharField(
        max_length=10, default=OPEN, choices=[(s, s) for s in (OPEN, PAID, EXPIRED)]
    )
    asked_cents = models.BigIntegerField()
    paid_cents = models.BigIntegerField(default=0)
    refunded_cents = models.BigIntegerField(default=0)
    refunded_at = models.BigIntegerField(default=0, editable=False)
    stripe_id = models.CharField(max_length=200, null=True, unique=True)
    payment_intent = models.CharField(max_length=200, null=True, unique=True)
    author = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "payment"

    def __str__(self) -> str:
        return f"{str(self.pk)[:8]} of {self.account}"


class Dispute(models.Model):
    """A payment that the card's holder disputes: the bank takes the money until it has decided."""

    OPENED, WON, LOST = "opened", "won", "lost"

    stripe_id = models.CharField(max_length=200, unique=True)
    session = models.ForeignKey(PaymentSession, models.PROTECT, related_name="disputes")
    state = models.CharField(max_length=10, choices=[(s, s) for s in (OPENED, WON, LOST)])
    amount_cents = models.BigIntegerField()
    reason = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{money.written(self.amount_cents * money.NANO_PER_CENT)} {self.state}"


class StripeEvent(models.Model):
    """What Stripe told us, signed, and what we did about it."""

    BOOKED, IGNORED, REFUSED = "booked", "ignored", "refused"

    event_id = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10, choices=[(s, s) for s in (BOOKED, IGNORED, REFUSED)])
    said = models.CharField(max_length=300, blank=True, help_text="What we did, or why not.")
    tries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["-received_at"]
        verbose_name = "Stripe event"

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

"""Re-ratings, what they mean for each account, and the notes on the requests that they concern."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from billing import money
from catalog.prices import UNKNOWN, Prices, other_prices_field, price_value
from providers.values import Price


def right_price(what: str) -> models.DecimalField:
    return models.DecimalField(
        max_digits=15,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"USD per million {what} tokens: <code>0.50</code>.",
    )


class Rerating(models.Model):
    """The right price of a model for a time that is over."""

    DRAFT, PREVIEWED, APPLIED = "draft", "previewed", "applied"

    model_id = models.CharField("model", max_length=250, help_text="<code>openai/gpt-oss</code>")
    provider = models.CharField(
        max_length=63, blank=True, help_text="Slug: <code>groq</code>. Empty: at all of them."
    )
    since = models.DateTimeField(help_text="Requests that began then or later, in UTC.")
    until = models.DateTimeField(help_text="And before then.")
    input_price = right_price("input")
    output_price = right_price("output")
    cached_input_price = right_price("cached input")
    other_prices = other_prices_field()
    debits = models.BooleanField(
        "charge more, too",
        default=False,
        help_text="Off: accounts that were charged too little keep what they saved.",
    )
    reason = models.CharField(
        max_length=250, help_text="Stands on statements: <code>wrong price in May</code>"
    )

    state = models.CharField(
        max_length=10,
        default=DRAFT,
        editable=False,
        choices=[(s, s) for s in (DRAFT, PREVIEWED, APPLIED)],
    )
    through = models.BigIntegerField(
        default=0, editable=False, help_text="Primary key of the last usage row in the preview."
    )
    author = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model_id} at {self.provider or 'all'}, {self.since:%Y-%m-%d}"

    @property
    def price(self) -> Price:
        return price_value(Prices.of(self))

    def clean(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise ValidationError({"until": "It lies after the beginning."})
        if Prices.of(self) == UNKNOWN:
            raise ValidationError({"input_price": "Give the right price; 0 is free."})


class Share(models.Model):
    """What a re-rating means for one account. transaction: what booked it."""

    rerating = models.ForeignKey(Rerating, models.CASCADE, related_name="shares")
    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="rerated")
    requests = models.BigIntegerField()
    was_nano = models.BigIntegerField(help_text="What was charged, earlier corrections in it.")
    right_nano = models.BigIntegerField()
    done = models.BooleanField(default=False)
    transaction = models.OneToOneField("ledger.Transaction", models.PROTECT, null=True)

    class Meta:
        ordering = ["account__name"]
        constraints = [
            models.UniqueConstraint(fields=["rerating", "account"], name="one_share_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {money.written(self.credit_nano)}"

    @property
    def credit_nano(self) -> int:
        """What the account gets; negative: what it owes."""
        return self.was_nano - self.right_nano


class RatedAnew(models.Model):
    """A note on a request: usage rows keep what was charged first, and the latest note counts."""

    rerating = models.ForeignKey(Rerating, models.PROTECT, related_name="notes")
    request_id = models.CharField(max_length=40, db_index=True)
    was_nano = models.BigIntegerField()
    rerated_nano = models.BigIntegerField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["rerating", "request_id"], name="one_note_a_rerating")
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {money.written(self.rerated_nano)}"

"""Statements and their lines. Triggers refuse every change to one that was issued."""

from django.db import models

from billing import money

USAGE = "usage"


class Statement(models.Model):
    """An account's month, in UTC: what it owned before and after, and what happened between.

    It is added after its lines, and seals them: opening and lines sum to closing.
    """

    number = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="statements")
    account_name = models.CharField(max_length=150, help_text="As it was called then.")
    month = models.DateField(help_text="Its first day.")
    opening_nano = models.BigIntegerField()
    closing_nano = models.BigIntegerField()
    issued_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["account", "month"], name="one_statement_a_month")
        ]

    def __str__(self) -> str:
        return self.shown_number

    @property
    def shown_number(self) -> str:
        return f"{self.number:06}"


class StatementLine(models.Model):
    """What happened, in one amount: usage of a model at a provider, or one transaction."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, help_text="usage, or the transaction's kind")
    at = models.DateTimeField(null=True)
    text = models.CharField(max_length=300, blank=True)
    model_id = models.CharField(max_length=250, blank=True)
    provider = models.CharField(max_length=63, blank=True)
    requests = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    amount_nano = models.BigIntegerField(help_text="Negative: taken from the account.")

    class Meta:
        ordering = ["statement", "position"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "position"], name="one_line_a_position")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {money.written(self.amount_nano)}"

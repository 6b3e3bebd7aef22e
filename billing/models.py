"""Who asks and what it costs: plans, accounts, keys and usage."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from billing import keys, values
from providers.configuration import ConfigurationQuerySet, ConfigurationRow
from providers.models import strings


class Plan(ConfigurationRow):
    """The limits and prices that apply to an account."""

    part = ("plan", "pk")

    name = models.CharField(max_length=100, unique=True, help_text="<code>default</code>")
    markup = models.DecimalField(
        max_digits=8,
        decimal_places=4,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
        help_text="Factor on the provider's price: <code>1.25</code> adds a quarter.",
    )
    requests_per_minute = models.PositiveIntegerField(default=600)
    tokens_per_minute = models.PositiveIntegerField(default=1_000_000)
    concurrency = models.PositiveIntegerField(
        default=50, help_text="Most requests of one key under way at once."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


MONEY = {"balance_nano", "held_nano"}


class AccountQuerySet(ConfigurationQuerySet):
    def lock(self, account_ids: Iterable[int]) -> None:
        """Lock these accounts' money until the transaction ends; always in the same order."""
        rows = self.select_for_update(no_key=True).filter(pk__in=account_ids).order_by("pk")
        list(rows.values_list("pk"))


class Account(ConfigurationRow):
    """Who pays."""

    part = ("account", "pk")

    objects = AccountQuerySet.as_manager()

    name = models.CharField(max_length=150, unique=True, help_text="<code>Acme, research</code>")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="accounts")
    enabled = models.BooleanField(default=True, help_text="Off: its keys are refused.")
    balance_nano = models.BigIntegerField(
        default=0, editable=False, help_text="What it owns, in nano-USD: 10⁹ are one dollar."
    )
    held_nano = models.BigIntegerField(
        default=0, editable=False, help_text="What processes took of it to admit requests against."
    )
    credit_limit = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        help_text="How far below zero it may go, in USD: for who pays by invoice.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save what people set: money moves by postings alone, and has since this was read."""
        if not self._state.adding and options.get("update_fields") is None:
            columns = {field.name for field in self._meta.concrete_fields if not field.primary_key}
            options["update_fields"] = columns - MONEY
        super().save(*args, **options)


class ApiKeyQuerySet(ConfigurationQuerySet):
    def revoke(self) -> int:
        """Refuse these keys from now on; those revoked before keep their moment."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())

    def expire(self) -> int:
        """Revoke what has expired; return how many. Nothing is announced if nothing has."""
        over = self.filter(revoked_at=None, expires_at__lte=timezone.now())
        return over.revoke() if over.exists() else 0


class ApiKey(ConfigurationRow):
    """What a client presents. Only a digest is kept."""

    part = ("key", "public_id")

    objects = ApiKeyQuerySet.as_manager()

    account = models.ForeignKey(Account, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100, blank=True, help_text="<code>laptop</code>")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Set: the key is refused.")
    allowed_models = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Patterns of model ids: <code>["openai/*"]</code>. Empty: all.',
    )
    allowed_providers = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Slugs: <code>["groq"]</code>. Empty: all.',
    )

    public_id = models.CharField(max_length=32, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name or 'key'} {self.public_id}…{self.last4}"

    @classmethod
    def issue(cls, account: Account, name: str = "", **options: object) -> tuple["ApiKey", str]:
        """Add a key for `account`; return its row, and the key itself, which is kept nowhere."""
        row = cls(account=account, name=name, **options)
        token = row.mint()
        row.save()
        return row, token

    def mint(self) -> str:
        """Give this new row its key, and return it."""
        minted = keys.mint()
        self.public_id, self.digest, self.last4 = minted.public_id, minted.digest, minted.last4
        return minted.token

    def clean(self) -> None:
        if self.expires_at and self._state.adding and self.expires_at <= timezone.now():
            raise ValidationError({"expires_at": "That moment has passed."})

    def value_of(self) -> values.Key:
        account = self.account
        return values.Key(
            public_id=self.public_id,
            name=self.name,
            account_id=account.pk,
            account_enabled=account.enabled,
            plan_id=account.plan_id,
            markup=account.plan.markup,
            expires_at=self.expires_at and self.expires_at.timestamp(),
            revoked=self.revoked_at is not None,
            allowed_models=tuple(self.allowed_models),
            allowed_providers=frozenset(self.allowed_providers),
        )


class UsageRow(models.Model):
    """One answered or failed request: what was asked, who answered, what it cost."""

    request_id = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(db_index=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="usage")
    transaction = models.ForeignKey(
        "ledger.Transaction",
        models.PROTECT,
        null=True,
        related_name="usage",
        help_text="What charged it, together with others that were booked at once.",
    )
    key_id = models.CharField(max_length=32, db_index=True)
    endpoint = models.CharField(max_length=30)
    asked_model = models.CharField(max_length=250)
    model_id = models.CharField(max_length=250, blank=True)
    provider = models.CharField(max_length=63, blank=True, db_index=True)
    upstream_id = models.CharField(max_length=500, blank=True)
    stream = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20, help_text="answered, failed, cancelled, interrupted")
    error_code = models.CharField(max_length=60, blank=True)
    attempts = models.JSONField(default=list)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    usage_source = models.CharField(max_length=10, help_text="upstream, estimated or none")
    cost_nano = models.BigIntegerField(null=True, help_text="Null: the price was not known.")
    duration_ms = models.PositiveIntegerField(default=0)
    first_byte_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["account", "-created_at"], name="usage_by_account")]

    def __str__(self) -> str:
        return self.request_id


class JournalFile(models.Model):
    """How far a journal was read. It moves in the transaction that books what was read."""

    name = models.CharField(max_length=100, unique=True)
    offset = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} to {self.offset}"

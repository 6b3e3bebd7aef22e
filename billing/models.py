"""Who asks and what it costs: plans, accounts, keys and usage."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, ProhibitNullCharactersValidator
from django.db import connection, models, transaction
from django.utils import timezone

from billing import values
from billing.access import keys, scopes
from billing.access.addresses import networks_of
from billing.among import Among
from billing.books.usage import UsageColumns
from catalog.asks import EVERYTHING, Permissions
from providers.configuration import ConfigurationQuerySet, ConfigurationRow


def default_price(what: str, usd: str) -> models.DecimalField:
    return models.DecimalField(
        max_digits=15,
        decimal_places=6,
        default=Decimal(usd),
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"USD per million {what} tokens where no price is known: <code>{usd}</code>.",
    )


def limit(help_text: str, default: int | None = None, big: bool = False) -> models.Field:
    kind = models.PositiveBigIntegerField if big else models.PositiveIntegerField
    return kind(null=True, blank=True, default=default, help_text=help_text)


class Plan(scopes.Scoped, ConfigurationRow):
    """The limits and prices that apply to an account, and what all its keys may use."""

    part = ("plan", "pk")

    name = models.CharField(max_length=100, unique=True, help_text="<code>default</code>")
    markup = models.DecimalField(
        max_digits=8,
        decimal_places=4,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
        help_text="Factor on the provider's price: <code>1.25</code> adds a quarter.",
    )
    requests_per_minute = limit("What each key may, in any minute. Empty: no limit. 0: none.", 600)
    requests_per_hour = limit("In any hour.")
    requests_per_day = limit("In any 24 hours.")
    tokens_per_minute = limit("Tokens of prompts and answers.", 1_000_000)
    tokens_per_hour = limit("In any hour.", big=True)
    tokens_per_day = limit("In any 24 hours.", big=True)
    concurrency = limit("Most requests of one key under way at once.", 50)
    unpriced = models.CharField(
        max_length=6,
        choices=[(values.CHARGE, "charge the default"), (values.REFUSE, "refuse")],
        default=values.CHARGE,
        help_text="What happens with an offer whose price nobody knows. One of 0 is known: free.",
    )
    default_input_price = default_price("input", "10")
    default_output_price = default_price("output", "40")
    default_max_output_tokens = models.PositiveIntegerField(
        default=16_384,
        validators=[MinValueValidator(1)],
        help_text="Tokens of an answer to hold money for, where neither request nor offer has a "
        "limit and the context is not known.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def tariff(self) -> values.Tariff:
        return values.Tariff(
            unpriced=self.unpriced,
            default_input_pico=int(self.default_input_price * values.PICO_PER_TOKEN),
            default_output_pico=int(self.default_output_price * values.PICO_PER_TOKEN),
            most_output=self.default_max_output_tokens,
        )


MONEY = {"balance_nano", "held_nano"}


class AccountQuerySet(ConfigurationQuerySet):
    def lock(self, account_ids: Iterable[int]) -> None:
        """Lock these accounts' money until the transaction ends; always in the same order."""
        if connection.features.has_select_for_update:  # SQLite's transaction is the only writer
            rows = self.select_for_update(no_key=True).filter(Among("pk", account_ids))
            list(rows.order_by("pk").values_list("pk"))


class Account(ConfigurationRow):
    """Who pays."""

    part = ("account", "pk")

    objects = AccountQuerySet.as_manager()

    name = models.CharField(max_length=150, unique=True, help_text="<code>Acme, research</code>")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="accounts")
    enabled = models.BooleanField(default=True, help_text="Off: its keys are refused.")
    organisation = models.ForeignKey(
        "organisations.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="accounts",
        help_text="Whose members see its keys and usage at <code>/account/</code>. May be empty.",
    )
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


class ApiKey(scopes.Scoped, ConfigurationRow):
    """What a client presents. Only a digest is kept, and for a while that of the secret before."""

    part = ("key", "public_id")

    objects = ApiKeyQuerySet.as_manager()

    account = models.ForeignKey(Account, models.CASCADE, related_name="keys")
    name = models.CharField(
        max_length=100,
        blank=True,
        validators=[ProhibitNullCharactersValidator()],
        help_text="<code>laptop</code>",
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Set: the key is refused.")
    disabled = models.BooleanField(default=False, help_text="On: refused for as long.")
    is_test = models.BooleanField(
        "test key",
        default=False,
        help_text="Costs nothing and reaches only the built-in <code>echo</code>. Kept for ever.",
    )
    is_management = models.BooleanField(
        "management key",
        default=False,
        help_text="May list, make, change and revoke keys of its account and its organisation.",
    )
    allowed_endpoints = scopes.listed(
        f"Of {', '.join(scopes.ENDPOINTS)}. Empty: all.", scopes.endpoints
    )
    allowed_ips = scopes.listed(
        'Where it may come from: <code>["203.0.113.0/24"]</code>. Empty: anywhere.',
        scopes.networks,
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="api_keys",
        help_text="The member who manages it.",
    )

    public_id = models.CharField(max_length=32, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    old_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    old_valid_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

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
        """Give this row its key, a new secret if it has one already, and return it."""
        minted = keys.mint(self.kind, self.public_id)
        self.public_id, self.digest, self.last4 = minted.public_id, minted.digest, minted.last4
        return minted.token

    @property
    def kind(self) -> str:
        return "test" if self.is_test else "live"

    @property
    def label(self) -> str:
        """The key as far as anyone may see it."""
        return f"gwz_{self.kind}_{self.public_id}_…{self.last4}"

    @property
    def is_over(self) -> bool:
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return expired or self.revoked_at is not None

    def rotate(self, grace: timedelta) -> str:
        """Give it a new secret and return the key; the one before is good for `grace` more.

        One from an earlier rotation ends now. Raise ValidationError for a key that is over.
        """
        with transaction.atomic():
            row = ApiKey.objects.select_for_update().get(pk=self.pk)
            if row.is_over:
                raise ValidationError("This key is revoked or expired; make a new one.")
            old, token = row.digest, row.mint()
            row.old_digest, row.old_valid_until = None, None
            if grace > timedelta(0):
                row.old_digest, row.old_valid_until = old, timezone.now() + grace
            row.save(update_fields=["digest", "last4", "old_digest", "old_valid_until"])
        self.refresh_from_db()
        return token

    def clean(self) -> None:
        super().clean()
        if self._state.adding:
            self.check_expiry()

    def check_expiry(self) -> None:
        """Raise ValidationError for an end that has passed: to end a key now, revoke it."""
        if self.expires_at and self.expires_at <= timezone.now():
            raise ValidationError({"expires_at": "That moment has passed."})

    def value_of(self, digests: Collection[str] = ()) -> values.Key:
        """Return it as a request sees it that presents a secret with one of `digests`."""
        account, plan = self.account, self.account.plan
        ends = [self.expires_at]
        if digests and self.digest not in digests:
            ends.append(self.old_valid_until)
        return values.Key(
            public_id=self.public_id,
            name=self.name,
            account_id=account.pk,
            account_enabled=account.enabled,
            plan_id=account.plan_id,
            markup=Decimal(0) if self.is_test else plan.markup,
            expires_at=min((end.timestamp() for end in ends if end), default=None),
            revoked=self.disabled or self.revoked_at is not None,
            permissions=self.permissions_with(plan),
            endpoints=frozenset(self.allowed_endpoints),
            networks=networks_of(self.allowed_ips),
            is_management=self.is_management,
            tariff=plan.tariff(),
        )

    def permissions_with(self, plan: Plan) -> Permissions:
        """Return what it may use on `plan`; EVERYTHING itself where nothing is restricted."""
        if not (self.is_test or self.is_scoped or plan.is_scoped):
            return EVERYTHING
        return self.permissions(plan.permissions() if plan.is_scoped else None, self.is_test)


class UsageRow(UsageColumns):
    """One answered or failed request: what was asked, who answered, what it cost."""

    request_id = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(db_index=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="usage", db_index=False)
    transaction = models.ForeignKey(
        "ledger.Transaction",
        models.PROTECT,
        null=True,
        related_name="usage",
        help_text="What charged it, together with others that were booked at once.",
    )
    key_id = models.CharField(max_length=32)
    endpoint = models.CharField(max_length=30)
    asked_model = models.CharField(max_length=250)
    model_id = models.CharField(max_length=250, blank=True)
    provider = models.CharField(max_length=63, blank=True)
    upstream_id = models.CharField(max_length=500, blank=True)
    stream = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20, help_text="answered, failed, cancelled, interrupted")
    error_code = models.CharField(max_length=60, blank=True)
    attempts = models.JSONField(default=list)
    cost_nano = models.BigIntegerField(
        null=True, help_text="The customer's. Null: the price was not known."
    )
    provider_cost_nano = models.BigIntegerField(null=True, help_text="Ours, before markup.")
    markup = models.DecimalField(max_digits=8, decimal_places=4, null=True)
    price_source = models.CharField(
        max_length=10, blank=True, help_text="manual, listing, reference or default (the plan's)"
    )
    price_id = models.PositiveBigIntegerField(null=True, help_text="The price record's key.")
    unit_prices = models.JSONField(
        default=dict, help_text="By bucket, in pico-USD for one token or piece, before markup."
    )
    duration_ms = models.PositiveIntegerField(default=0)
    first_byte_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [  # each answers a page: the newest rows of one of many
            models.Index(fields=["account", "-created_at"], name="usage_by_account"),
            models.Index(fields=["key_id", "-created_at"], name="usage_by_key"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(price_source="default"),
                name="usage_without_a_price",
            ),
            models.Index(fields=["provider", "-created_at"], name="usage_by_provider"),
            models.Index(
                fields=["outcome", "-created_at"],
                name="usage_that_failed",
                condition=~models.Q(outcome="answered"),
            ),
        ]

    def __str__(self) -> str:
        return self.request_id


class JournalFile(models.Model):
    """How far a journal was read. It moves in the transaction that books what was read."""

    name = models.CharField(max_length=100, unique=True)
    offset = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} to {self.offset}"

"""What can be asked for: models, offers, other names, variants, block rules, revisions of it."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone

from catalog import prices, values
from catalog.listed import MANUAL, ListedModel, ListedOffer
from catalog.offer_values import OFFER_COLUMNS, offer_value, price_of
from catalog.prices import PriceRecord, other_prices_field, price_field
from catalog.turns import ROWS, politely
from providers.configuration import ConfigurationQuerySet, ConfigurationRow
from providers.models import Provider, strings

CAPABILITIES = ("chat", "completions", "embeddings", "images", "audio", "rerank", "moderations")
ORDERS = ("price", "latency", "throughput", "priority")


def capabilities(value: object) -> None:
    """Accept a list of known capabilities."""
    strings(value)
    for item in value:  # type: ignore[attr-defined]
        if item not in CAPABILITIES:
            raise ValidationError(f"{item} is no capability; there are {', '.join(CAPABILITIES)}.")


def chat() -> list[str]:
    return ["chat"]


class Model(ListedModel, ConfigurationRow):
    """What a client may ask for."""

    part = ("model", "model_id")

    model_id = models.CharField(
        max_length=250,
        unique=True,
        validators=[RegexValidator(r"^\S+$", "An id holds no spaces.")],
        help_text="Canonical id, case kept: <code>meta-llama/Llama-3.3-70B-Instruct</code>.",
    )
    name = models.CharField(max_length=250, blank=True, help_text="For people: Llama 3.3 70B.")
    description = models.TextField(blank=True)
    capabilities = models.JSONField(
        default=chat,
        blank=True,
        validators=[capabilities],
        help_text=f'Any of {", ".join(CAPABILITIES)}: <code>["chat"]</code>; '
        "<code>[]</code>: as listed.",
    )
    context_length = models.PositiveIntegerField(
        null=True, blank=True, help_text="In tokens. Empty: as listed."
    )
    hugging_face_id = models.CharField(
        max_length=250,
        blank=True,
        help_text="Providers that list this id of Hugging Face's offer this model.",
    )
    hidden = models.BooleanField(default=False, help_text="Callable, but not in listings.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["model_id"]

    def __str__(self) -> str:
        return self.model_id

    def clean(self) -> None:
        for row in ModelAlias.objects.filter(alias=self.model_id):
            raise ValidationError({"model_id": f"{row.alias} is an alias of {row.target} already."})

    @property
    def title(self) -> str:
        return self.name or self.listed_name

    def value_of(self) -> values.Model:
        return values.Model(
            id=self.model_id,
            name=self.title,
            capabilities=values.shared_set(self.capabilities or self.listed_capabilities),
            context_length=self.context_length or self.listed_context_length,
            created=int(self.created_at.astimezone(UTC).timestamp()),
            description=self.description or self.listed_description,
            hidden=self.hidden,
            input_modalities=values.shared(self.input_modalities),
            output_modalities=values.shared(self.output_modalities),
            hugging_face_id=self.hugging_face_id,
        )


class OfferQuerySet(ConfigurationQuerySet):
    def alive(self) -> "OfferQuerySet":
        """Leave out what its provider no longer lists."""
        return self.filter(retired_at=None)

    def values_of(self) -> list[values.Offer]:
        """Return the snapshot's values: without instances it is quicker."""
        columns = models.QuerySet.values_list(self, *OFFER_COLUMNS, named=True)
        return [
            offer_value(row, row.model__model_id, row.provider__slug, price_of(row))
            for row in politely(columns.iterator(chunk_size=ROWS))
        ]

    def manual_prices(self) -> dict[int, prices.Prices]:
        """Return the prices that admins gave, by primary key."""
        rows = models.QuerySet.order_by(self).values_list("pk", *prices.FIELDS, named=True)
        return {row.pk: prices.Prices.of(row) for row in rows}

    def update(self, **values: Any) -> int:
        with transaction.atomic(using=self.db):
            if values.keys().isdisjoint(prices.FIELDS):
                return super().update(**values)
            before = self.manual_prices()
            result = super().update(**values)
            after = Offer.objects.filter(pk__in=before).manual_prices()
            changed = {pk: now for pk, now in after.items() if now != before[pk]}
            PriceRecord.objects.note(MANUAL, changed)
        return result

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **options)
            priced = {row.pk: row.manual_prices for row in made}
            known = {pk: given for pk, given in priced.items() if given != prices.UNKNOWN}
            PriceRecord.objects.note(MANUAL, known)
        return made


class Offer(ListedOffer, ConfigurationRow):
    """A model at a provider."""

    part = ("offers", "provider__slug")

    objects = OfferQuerySet.as_manager()

    model = models.ForeignKey(Model, models.CASCADE, related_name="offers")
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="offers")
    upstream_id = models.CharField(
        max_length=250,
        help_text="The provider's id before rewrite rules: <code>llama-3.3-70b-versatile</code>.",
    )
    backends = models.JSONField(
        default=list,
        blank=True,
        validators=[strings],
        help_text='Backends behind the provider: <code>["hf-inference"]</code>; '
        "<code>[]</code>: as listed.",
    )
    capabilities = models.JSONField(
        default=list,
        blank=True,
        validators=[capabilities],
        help_text="Where they differ; <code>[]</code>: as listed, or else as the model's.",
    )
    input_price = price_field("input")
    output_price = price_field("output")
    cached_input_price = price_field("cached input")
    other_prices = other_prices_field()
    context_length = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Where it differs, in tokens. Empty: as listed, or as the model's.",
    )
    enabled = models.BooleanField(default=True, help_text="Off: this offer is not used.")

    latency_ms = models.PositiveIntegerField(null=True, editable=False)
    throughput_tps = models.FloatField(null=True, editable=False)

    class Meta:
        ordering = ["model", "provider"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "provider"],
                name="one_offer_per_model_and_provider",
                violation_error_message="This provider offers this model already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.provider}"

    @property
    def manual_prices(self) -> prices.Prices:
        return prices.Prices.of(self)

    @property
    def listed_prices(self) -> prices.Prices:
        return prices.Prices.of(self, "listed_")

    @property
    def effective_prices(self) -> tuple[prices.Prices, str]:
        """The prices that count, and where they come from."""
        reference = self.in_force.reference if self.has_record else None
        known = reference.prices if reference is not None else prices.UNKNOWN
        return prices.effective(self.manual_prices, self.listed_prices, known)

    @property
    def has_record(self) -> bool:
        return hasattr(self, "in_force")

    def save(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            before = Offer.objects.filter(pk=self.pk).manual_prices()
            super().save(*args, **options)
            after = Offer.objects.filter(pk=self.pk).manual_prices()
            if after[self.pk] != before.get(self.pk, prices.UNKNOWN):
                PriceRecord.objects.note(MANUAL, after)

    def value_of(self) -> values.Offer:
        found, source = self.effective_prices
        record = getattr(self.in_force, f"{source}_id") if source and self.has_record else None
        price = prices.price_value(found, source, record or 0)
        return offer_value(self, self.model.model_id, self.provider.slug, price)


class ModelAlias(ConfigurationRow):
    """Another name of a model."""

    part = ("aliases", None)

    alias = models.CharField(
        max_length=250,
        unique=True,
        validators=[RegexValidator(r"^\S+$", "A name holds no spaces.")],
        help_text="What clients may ask for: <code>gpt-4o</code>.",
    )
    target = models.CharField(
        max_length=250,
        help_text="What they get: <code>openai/gpt-4o</code>, or another name of it, as with "
        "<code>hf/…</code> for one provider or <code>…:floor</code> for a variant.",
    )

    class Meta:
        ordering = ["alias"]
        verbose_name_plural = "model aliases"

    def __str__(self) -> str:
        return f"{self.alias} → {self.target}"

    def clean(self) -> None:
        if self.alias == self.target:
            raise ValidationError({"target": "An alias cannot point to itself."})
        if Model.objects.filter(model_id=self.alias).exists():
            raise ValidationError({"alias": f"{self.alias} is the id of a model already."})


class Variant(ConfigurationRow):
    """A suffix that clients may add to a model's name to choose the order of providers."""

    part = ("variants", None)

    name = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$", "Use a-z, 0-9, _ and -.")],
        help_text="Without the colon: <code>floor</code>.",
    )
    order_by = models.CharField(
        max_length=20,
        choices=[(order, order) for order in ORDERS],
        help_text="price: cheapest first; latency and throughput: fastest first.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f":{self.name} → by {self.order_by}"

    def value_of(self) -> values.Variant:
        return values.Variant(self.name, self.order_by)


class BlockRuleQuerySet(ConfigurationQuerySet):
    def expired(self) -> "BlockRuleQuerySet":
        """Return the rules that are half-open: over, and not yet decided by a probe."""
        return self.filter(enabled=True, expires_at__lte=timezone.now())


class BlockRule(ConfigurationRow):
    """A pattern of models that are hidden and refused."""

    part = ("blocks", None)

    objects = BlockRuleQuerySet.as_manager()

    pattern = models.CharField(
        max_length=250,
        help_text="Over model ids, <code>*</code> for any text: <code>katanemo/*</code>.",
    )
    provider = models.ForeignKey(
        Provider, models.CASCADE, null=True, blank=True, help_text="Empty: at all providers."
    )
    reason = models.CharField(
        max_length=300, help_text="Shown to clients: <code>router model, not chat</code>."
    )
    evidence = models.TextField(blank=True, help_text="What you saw, with a date.")
    author = models.CharField(max_length=150, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: stays.")
    enabled = models.BooleanField(default=True)

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pattern"]
        constraints = [
            models.UniqueConstraint(
                fields=["pattern", "provider"],
                name="one_block_per_pattern_and_provider",
                violation_error_message="This pattern is blocked there already.",
            ),
            models.UniqueConstraint(
                fields=["pattern"],
                condition=models.Q(provider=None),
                name="one_block_per_pattern_everywhere",
                violation_error_message="This pattern is blocked everywhere already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} at {self.provider or 'all'}: {self.reason}"

    def value_of(self) -> values.Block:
        return values.Block(
            self.pk,
            self.pattern,
            self.provider and self.provider.slug,
            self.reason,
            self.expires_at and self.expires_at.timestamp(),
        )


class State(models.Model):
    """The one row that says which revision is in force; its lock puts revisions in order."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"revision {self.number}"


class Revision(models.Model):
    """A state of the configuration: who made it, when, and which parts of it differ."""

    number = models.PositiveBigIntegerField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=150)
    summary = models.CharField(max_length=300)
    parts = models.JSONField(default=list)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.summary}"

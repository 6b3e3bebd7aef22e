"""What an offer's tokens cost, and since when; nothing that was recorded is ever changed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from catalog import other_prices
from catalog.listed import LISTING, MANUAL, price_digits
from catalog.other_prices import PICO_PER_TOKEN
from providers.configuration import announce
from providers.values import Price

if TYPE_CHECKING:
    from catalog.models import Offer

REFERENCE = "reference"
PRECEDENCE = (MANUAL, LISTING, REFERENCE)
FIELDS = ("input_price", "output_price", "cached_input_price", "other_prices")
LISTED_FIELDS = tuple(f"listed_{name}" for name in FIELDS)
AT_ONCE = 500


class Prices(NamedTuple):
    """USD per million tokens, None: not known; other: as other_prices.text_of writes it."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    other: str = ""

    @classmethod
    def of(cls, row: Any, prefix: str = "") -> "Prices":
        """Return the prices in a row's columns, all of them with `prefix`."""
        read, said, cached, other = (getattr(row, prefix + name) for name in FIELDS)
        return cls(read, said, cached, other_prices.text_of(other) if other else "")

    def columns(self) -> dict[str, Any]:
        return dict(zip(FIELDS, (*self[:3], other_prices.stored(self.other)), strict=True))


UNKNOWN = Prices()


def price_field(what: str) -> models.DecimalField:
    """Make a column for a price by hand: no finer than what pico() turns exactly."""
    return models.DecimalField(
        max_digits=15,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"USD per million {what} tokens: <code>0.50</code>. Empty: not known; 0: free. "
        "With any price by hand, the list's prices do not count.",
    )


def recorded_price(what: str) -> models.DecimalField:
    """Make a column for a price of any source: lists have more digits than people."""
    return models.DecimalField(
        **price_digits(),
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"USD per million {what} tokens: <code>0.50</code>. Empty: not known; 0: free.",
    )


class OtherPricesField(models.JSONField):
    """See other_prices; cleaning brings it into its one form."""

    def to_python(self, value: Any) -> Any:
        try:
            return other_prices.checked({} if value in (None, "") else value)
        except other_prices.BadPrices as problem:
            raise ValidationError(str(problem)) from problem


def other_prices_field() -> OtherPricesField:
    example = (
        '{"cache_write": "3.75", "cache_write_1h": "6", "request": "0.01", "tiers": '
        '[{"min_prompt_tokens": 200000, "input": "6", "output": "22.5"}]}'
    )
    return OtherPricesField(
        default=dict,
        blank=True,
        help_text="USD per million tokens, of request, web_search and image for one: "
        f"<code>{example}</code>. Prices: {', '.join(other_prices.NAMES)}. Conditions of a tier: "
        "min_prompt_tokens (longer than that), utc_start and utc_end (HHMM).",
    )


def pico(usd_per_million: Decimal | None) -> int | None:
    """Turn USD per million tokens into whole pico-USD per token, rounded half up.

    Exact for six decimals; no listed price that we know of has more.
    """
    if usd_per_million is None:
        return None
    return int((usd_per_million * PICO_PER_TOKEN).to_integral_value(ROUND_HALF_UP))


def effective(by_hand: Prices, listed: Prices, reference: Prices = UNKNOWN) -> tuple[Prices, str]:
    """Return the prices that count, and where they come from: all by hand, or all as listed, or
    all of the reference, so that they never mix. The source is empty if nothing is known."""
    for prices, source in ((by_hand, MANUAL), (listed, LISTING), (reference, REFERENCE)):
        if prices != UNKNOWN:
            return prices, source
    return UNKNOWN, ""


def price_value(prices: Prices, source: str = "", price_id: int = 0) -> Price:
    """Return the data plane's price."""
    return Price(**_values(prices), source=source, price_id=price_id)


@lru_cache(4096)
def _values(prices: Prices) -> dict[str, Any]:
    other, tiers = other_prices.read(prices.other)
    read, said, cached = map(pico, prices[:3])
    return {"input": read, "output": said, "cached_input": cached, **other, "tiers": tiers}


def latest_record() -> models.ForeignKey:
    """Records go with their offer, as this row does: nobody need look for it."""
    return models.ForeignKey(
        "catalog.PriceRecord",
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


class PriceRecordQuerySet(models.QuerySet):
    def in_force(
        self, offer: "Offer", at: datetime, known_at: datetime | None = None
    ) -> "PriceRecord | None":
        """Return the price in force at `at`, as it was known at `known_at` (None: now).

        By hand beats listed beats reference. None: the price is not known.
        """
        rows = self.filter(offer=offer, valid_from__lte=at)
        if known_at is not None:
            rows = rows.filter(recorded_at__lte=known_at)
        latest: dict[str, PriceRecord] = {}
        for row in rows.order_by("valid_from", "recorded_at", "pk"):
            latest[row.source] = row
        found = (latest[source] for source in PRECEDENCE if source in latest)
        return next((row for row in found if row.prices != UNKNOWN), None)

    def note(self, source: str, prices: Mapping[int, Prices], run: Any = None) -> list[Any]:
        """Record the prices of offers, by primary key, as of now; return the records."""
        now = timezone.now()
        rows = [
            PriceRecord(
                offer_id=pk,
                source=source,
                valid_from=now,
                recorded_at=now,
                run=run,
                **values.columns(),
            )
            for pk, values in prices.items()
        ]
        with transaction.atomic(using=self.db):
            made = self.bulk_create(rows, batch_size=AT_ONCE)
            PriceInForce.objects.bulk_create(
                [PriceInForce(offer_id=row.offer_id, **{source: row}) for row in made],
                batch_size=AT_ONCE,
                update_conflicts=True,
                unique_fields=["offer"],
                update_fields=[source],
            )
        return made

    def refer(self, offer: "Offer", prices: Prices) -> "PriceRecord":
        """Record a reference price of an offer; without any price, that there is none any more."""
        with transaction.atomic(using=self.db):
            (record,) = self.note(REFERENCE, {offer.pk: prices})
            announce(offer.parts(), f"reference price of {offer}")
        return record


class PriceRecord(models.Model):
    """What an offer costs from a moment on, in USD per million tokens; all empty: not any more."""

    offer = models.ForeignKey("catalog.Offer", models.CASCADE, related_name="prices")
    source = models.CharField(max_length=10, choices=[(name, name) for name in PRECEDENCE])
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    input_price = recorded_price("input")
    output_price = recorded_price("output")
    cached_input_price = recorded_price("cached input")
    other_prices = other_prices_field()
    run = models.ForeignKey("syncs.SyncRun", models.SET_NULL, null=True, related_name="prices")

    objects = PriceRecordQuerySet.as_manager()

    class Meta:
        app_label = "catalog"
        ordering = ["-valid_from", "-pk"]
        indexes = [models.Index(fields=["offer", "valid_from"], name="price_of_an_offer")]

    def __str__(self) -> str:
        said = " / ".join(
            "?" if price is None else f"{price.normalize():f}" for price in self.prices[:3]
        )
        return f"{said} ({self.source}, from {self.valid_from:%Y-%m-%d %H:%M})"

    @property
    def prices(self) -> Prices:
        return Prices.of(self)


class PriceInForce(models.Model):
    """The latest record of each source, so that the data plane knows a price's record at once."""

    offer = models.OneToOneField(
        "catalog.Offer", models.CASCADE, primary_key=True, related_name="in_force"
    )
    manual = latest_record()
    listing = latest_record()
    reference = latest_record()

    class Meta:
        app_label = "catalog"

    def __str__(self) -> str:
        return f"prices of offer {self.offer_id}"

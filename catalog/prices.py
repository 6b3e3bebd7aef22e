"""What an offer's tokens cost, and since when; nothing that was recorded is ever changed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from catalog.listed import LISTING, MANUAL, price_digits
from providers.values import Price

if TYPE_CHECKING:
    from catalog.models import Offer

REFERENCE = "reference"
PRECEDENCE = (MANUAL, LISTING, REFERENCE)
FIELDS = ("input_price", "output_price", "cached_input_price")
LISTED_FIELDS = tuple(f"listed_{name}" for name in FIELDS)
PICO_PER_TOKEN = 10**6  # 1 USD per million tokens is 10**6 pico-USD per token

Prices = tuple[Decimal | None, Decimal | None, Decimal | None]
UNKNOWN: Prices = (None, None, None)


def price_field(what: str) -> models.DecimalField:
    """Make a column for a price by hand: no finer than what pico() turns exactly."""
    return models.DecimalField(
        max_digits=15,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"USD per million {what} tokens: <code>0.50</code>. Empty: not known; 0: free. "
        "With any of the three set, the list's prices do not count.",
    )


def pico(usd_per_million: Decimal | None) -> int | None:
    """Turn USD per million tokens into whole pico-USD per token, rounded half up.

    Exact for six decimals; no listed price that we know of has more.
    """
    if usd_per_million is None:
        return None
    return int((usd_per_million * PICO_PER_TOKEN).to_integral_value(ROUND_HALF_UP))


def effective(by_hand: Prices, listed: Prices) -> Prices:
    """Return the prices that count: all by hand, or all as listed, so that they never mix."""
    return listed if by_hand == UNKNOWN else by_hand


@lru_cache(4096)
def price_value(usd_per_million: Prices) -> Price:
    """Return the data plane's price; equal ones are one value."""
    read, said, cached = map(pico, usd_per_million)
    return Price(read, said, cached)


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

    def note(self, source: str, prices: Mapping[int, Prices], run: Any = None) -> None:
        """Record the prices of offers, by primary key, as of now."""
        now = timezone.now()
        self.bulk_create(
            [
                PriceRecord(
                    offer_id=pk,
                    source=source,
                    valid_from=now,
                    recorded_at=now,
                    run=run,
                    **dict(zip(FIELDS, values, strict=True)),
                )
                for pk, values in prices.items()
            ],
            batch_size=500,
        )


class PriceRecord(models.Model):
    """What an offer costs from a moment on, in USD per million tokens; all empty: not any more."""

    offer = models.ForeignKey("catalog.Offer", models.CASCADE, related_name="prices")
    source = models.CharField(max_length=10, choices=[(name, name) for name in PRECEDENCE])
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    input_price = models.DecimalField(**price_digits(), null=True)
    output_price = models.DecimalField(**price_digits(), null=True)
    cached_input_price = models.DecimalField(**price_digits(), null=True)
    run = models.ForeignKey("syncs.SyncRun", models.SET_NULL, null=True, related_name="prices")

    objects = PriceRecordQuerySet.as_manager()

    class Meta:
        app_label = "catalog"
        ordering = ["-valid_from", "-pk"]
        indexes = [models.Index(fields=["offer", "valid_from"], name="price_of_an_offer")]

    def __str__(self) -> str:
        said = " / ".join(
            "?" if price is None else f"{price.normalize():f}" for price in self.prices
        )
        return f"{said} ({self.source}, from {self.valid_from:%Y-%m-%d %H:%M})"

    @property
    def prices(self) -> Prices:
        return (self.input_price, self.output_price, self.cached_input_price)

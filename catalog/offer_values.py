"""An offer's columns as the snapshot's value."""

from typing import Any

from catalog import prices, values
from providers.values import Price

RECORDS = tuple(f"in_force__{source}_id" for source in prices.PRECEDENCE)
OFFER_COLUMNS = (
    "id",
    "upstream_id",
    "backends",
    "listed_backends",
    "capabilities",
    "listed_capabilities",
    *prices.FIELDS,
    *prices.LISTED_FIELDS,
    *RECORDS,
    *(f"in_force__reference__{name}" for name in prices.FIELDS),
    "context_length",
    "listed_context_length",
    "max_output_tokens",
    "supported_parameters",
    "enabled",
    "listed_active",
    "latency_ms",
    "throughput_tps",
    "deprecated",
    "deprecated_at",
    "replaced_by",
    "model__model_id",
    "provider__slug",
)


def offer_value(row: Any, model_id: str, slug: str, price: Price) -> values.Offer:
    """Make the snapshot's value of a row, or of OFFER_COLUMNS."""
    return values.Offer(
        id=row.id,
        model_id=model_id,
        slug=slug,
        upstream_id=row.upstream_id,
        backends=values.shared(row.backends or row.listed_backends),
        capabilities=values.shared_set(row.capabilities or row.listed_capabilities),
        price=price,
        context_length=row.context_length or row.listed_context_length,
        enabled=row.enabled and row.listed_active,
        latency_ms=row.latency_ms,
        throughput_tps=row.throughput_tps,
        max_output_tokens=row.max_output_tokens,
        supported_parameters=values.shared(row.supported_parameters),
        deprecated=row.deprecated or row.deprecated_at is not None,
        deprecated_at=row.deprecated_at and row.deprecated_at.isoformat(),
        replaced_by=row.replaced_by,
    )


def price_of(row: Any) -> Price:
    """Return the price that counts, of OFFER_COLUMNS, with its record."""
    by_hand, listed = prices.Prices.of(row), prices.Prices.of(row, "listed_")
    reference = prices.UNKNOWN
    if row.in_force__reference_id:
        reference = prices.Prices.of(row, "in_force__reference__")
    found, source = prices.effective(by_hand, listed, reference)
    record = getattr(row, f"in_force__{source}_id") if source else None
    return prices.price_value(found, source, record or 0)

"""What the catalogue holds of a provider, as values: thousands of rows without their instances."""

from typing import Any

from catalog.listed import MANUAL
from catalog.models import Model, ModelAlias, Offer
from catalog.syncs.diffing import Known
from catalog.syncs.facts import MODEL_COLUMNS, OFFER_COLUMNS, ModelFacts, OfferFacts
from catalog.syncs.identity import Book
from catalog.syncs.models import ModelMapping
from providers.models import Provider

STATE = (
    "pk",
    "upstream_id",
    "source",
    "model_id",
    "missing_runs",
    "retired_at",
    "model__listed_by",
)
COLUMNS = (*STATE, *OFFER_COLUMNS, *(f"model__{name}" for name in MODEL_COLUMNS))


def offers_of(provider: Provider) -> dict[str, Known]:
    """Return the provider's offers by upstream id. Of two with one id, the listed one counts."""
    rows = Offer.objects.filter(provider=provider).order_by("-source", "-pk")
    return {
        row[1]: known(row, provider.pk)
        for row in rows.values_list(*COLUMNS).iterator(chunk_size=2000)
    }


def known(row: tuple[Any, ...], provider_pk: int) -> Known:
    pk, _, source, model_pk, missing_runs, retired_at, listed_by = row[: len(STATE)]
    middle = len(STATE) + len(OFFER_COLUMNS)
    ours = listed_by in (None, provider_pk)
    return Known(
        pk=pk,
        model_pk=model_pk,
        offer=OfferFacts(*map(value, row[len(STATE) : middle])),
        model=ModelFacts(*map(value, row[middle:])) if ours else None,
        missing_runs=missing_runs,
        retired=retired_at is not None,
        by_hand=source == MANUAL,
    )


def value(column: Any) -> Any:
    if isinstance(column, list):
        return tuple(column)
    return column.isoformat() if hasattr(column, "isoformat") else column


def book_of(provider: Provider) -> Book:
    """Return what names mean now, for new ids of this provider."""
    models = list(Model.objects.order_by("-model_id").values_list("model_id", "hugging_face_id"))
    offers = Offer.objects.filter(provider=provider)
    mappings = ModelMapping.objects.filter(provider=provider)
    return Book(
        model_ids={model_id for model_id, _ in models},
        hugging_face={known_as: model_id for model_id, known_as in models if known_as},
        offered=set(offers.values_list("model__model_id", flat=True)),
        aliases=frozenset(ModelAlias.objects.values_list("alias", flat=True)),
        mappings=dict(mappings.values_list("upstream_id", "model__model_id")),
    )

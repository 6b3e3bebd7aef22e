"""The one reader of all shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from providers.listings import addresses, reading
from providers.listings.fields import MOST_ID, STRANGE_IN_ID, Fields, clean, shown, whole
from providers.listings.pagination import Read
from providers.listings.prices import BASE, number, plausible, without_zeros
from providers.listings.shape import Shape
from providers.listings.values import (
    UNKNOWN,
    Listed,
    ListedPrice,
    ListingError,
    Page,
    PageAsk,
    Refused,
)

TOTALS = ("total", "total_count", "totalSize", "pagination.total_items")


@dataclass(frozen=True, slots=True)
class Listing:
    """A parser: a shape, with what the provider's entry adds to it."""

    shape: Shape

    def first(self, url: str) -> PageAsk:
        return PageAsk(self.shape.paging.first(addresses.checked(url)))

    def read(self, ask: PageAsk, headers: Mapping[str, str], body: bytes) -> Page:
        shape = self.shape
        raws, envelope = reading.rows_of(body, shape.rows, null_is_empty=shape.null_is_empty)
        rows: list[Listed] = []
        refused: list[Refused] = []
        for place, raw in enumerate(raws, start=1):
            row, problems = self._row(place, raw)
            refused += problems
            if row is not None:
                rows.append(row)
        if raws and not rows:
            raise ListingError(f"no row is usable; {refused[0].reason}")
        url = shape.paging.next(Read(ask.url, headers, envelope, len(raws)))
        next_page = PageAsk(url) if url else None
        return Page(tuple(rows), tuple(refused), next_page, total_of(envelope))

    def _row(self, place: int, raw: object) -> tuple[Listed | None, list[Refused]]:
        id = ""
        try:
            fields = Fields(reading.row(raw))
            id = self.shape.id(fields)
            check_id(id)
        except ListingError as problem:
            return None, [Refused(clean(id, MOST_ID), f"row {place}: {problem}")]
        listed = listed_from(self.shape, fields, id)
        return listed, [Refused(id, reason, landed=True) for reason in fields.problems]


def total_of(envelope: Fields) -> int | None:
    total = whole(envelope.at(*TOTALS))
    return total if total is not None and total >= 0 else None


def check_id(id: str) -> None:
    """Raise ListingError for an id that the catalogue cannot hold."""
    if not id:
        raise ListingError("it has no id")
    if len(id) > MOST_ID:
        raise ListingError(f"its id is longer than {MOST_ID} characters")
    if STRANGE_IN_ID.search(id):
        raise ListingError(f"spaces or control characters in its id {shown(id)}")


def listed_from(shape: Shape, fields: Fields, id: str) -> Listed:
    capabilities = shape.capabilities(fields, id)
    deprecated_at = shape.deprecated_at(fields)
    return Listed(
        upstream_id=id,
        name=shape.name(fields),
        description=shape.description(fields),
        capabilities=capabilities,
        tasks=shape.tasks(fields),
        context_length=shape.context_length(fields),
        max_output_tokens=shape.max_output_tokens(fields),
        input_modalities=shape.inputs(fields),
        output_modalities=shape.outputs(fields),
        created=shape.created(fields),
        price=priced(shape, fields, capabilities),
        backends=shape.backends(fields),
        aliases=shape.aliases(fields),
        deprecated=shape.deprecated(fields) or deprecated_at is not None,
        deprecated_at=deprecated_at,
        replaced_by=shape.replaced_by(fields),
        hugging_face_id=shape.hugging_face_id(fields),
        canonical_slug=shape.canonical_slug(fields),
        supported_parameters=shape.supported_parameters(fields),
        active=shape.active(fields),
    )


def priced(shape: Shape, fields: Fields, capabilities: frozenset[str]) -> ListedPrice:
    quote = shape.prices(fields)
    if any(something(fields.at(path)) for path in shape.also_priced):
        quote = without_zeros(quote, BASE)
    price = plausible(fields, quote, capabilities)
    return price if price == UNKNOWN else replace(price, tiers=shape.tiers(fields))


def something(value: object) -> bool:
    try:
        return number(value) > 0
    except (ValueError, ArithmeticError):
        return False

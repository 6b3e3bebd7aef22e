"""What a provider's list says, as frozen values. Nothing here is trusted beyond what is stated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol


class ListingError(ValueError):
    """The answer is not a list of this shape: HTML, an error object, a cursor elsewhere, …"""


@dataclass(frozen=True, slots=True)
class PageAsk:
    """One page to fetch; `url` is complete, with the query."""

    url: str


@dataclass(frozen=True, slots=True)
class ListedTier:
    """Prices, by ListedPrice's names, while all conditions hold: the prompt is longer than
    min_prompt_tokens; the minute of the day in UTC is in the window, which may go over midnight."""

    prices: tuple[tuple[str, Decimal], ...]
    min_prompt_tokens: int | None = None
    utc_start: int | None = None
    utc_end: int | None = None


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """USD per token, exact; None: unknown; 0: free. Of tiers that hold, later ones win.

    image, request, web_search and second are USD for one of each, as the provider counts them.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None
    image: Decimal | None = None
    request: Decimal | None = None
    web_search: Decimal | None = None
    second: Decimal | None = None
    tiers: tuple[ListedTier, ...] = ()


UNKNOWN = ListedPrice()


@dataclass(frozen=True, slots=True)
class Listed:
    """One model as the provider lists it.

    capabilities: in the catalogue's words; empty: nothing that we have an endpoint for, such as
    video. tasks: in the provider's own words. backends: those that serve it now.
    hugging_face_id and canonical_slug are there only where the list states them.
    active is False when the list says that the model cannot be called now.
    """

    upstream_id: str
    name: str = ""
    description: str = ""
    capabilities: frozenset[str] = frozenset()
    tasks: tuple[str, ...] = ()
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    created: int | None = None
    price: ListedPrice = UNKNOWN
    backends: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    deprecated_at: date | None = None
    replaced_by: str = ""
    hugging_face_id: str = ""
    canonical_slug: str = ""
    supported_parameters: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A row, or one value of a row that landed without it, and why.

    upstream_id is empty where the row has no usable one; the reason then gives its place.
    """

    upstream_id: str
    reason: str
    landed: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """rows: in the list's order, with its duplicates. total: what the provider says it has."""

    rows: tuple[Listed, ...] = ()
    refused: tuple[Refused, ...] = ()
    next: PageAsk | None = None
    total: int | None = None


class Parser(Protocol):
    """Reads one shape of list, page by page. Both raise ListingError and nothing else."""

    def first(self, url: str) -> PageAsk: ...

    def read(self, ask: PageAsk, headers: Mapping[str, str], body: bytes) -> Page: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a provider lists its models, and how to read it.

    auth: none, optional or required. auth_header: empty where it is the provider's own.
    """

    parser: Parser = field(repr=False)
    url: str
    auth: str
    auth_header: str = ""

"""A provider's listing entries, as admins write them, into parsers that are ready to use."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from providers.listings.addresses import checked
from providers.listings.capabilities import KNOWN, Kinds, overridden, pattern
from providers.listings.listing import Listing
from providers.listings.pagination import sized
from providers.listings.prices import PER_TOKEN, Unit
from providers.listings.registry import SHAPES
from providers.listings.shape import Shape
from providers.listings.values import Entry, ListingError

AUTHS = ("none", "optional", "required")
OPTIONS = frozenset({"parser", "url", "auth", "auth_header", "kinds", "price_unit", "page_size"})
MOST_PAGE_SIZE = 10_000


class EntryError(ValueError):
    """An entry that cannot be used, in words for the admin who wrote it."""


def entry(stored: Mapping[str, object]) -> Entry:
    """Make an entry of what is stored: `{parser, url, auth, …}`.

    kinds: `[["*guard*", ["chat"]], …]`, capabilities by patterns over ids; the first that fits
    goes before what the list says. price_unit: for lists whose parser knows none.
    page_size: instead of the parser's. auth_header: where the credential goes, if not as usual.
    """
    unknown = sorted(set(stored) - OPTIONS)
    if unknown:
        raise EntryError(
            f"There is no option {unknown[0]}; there are {', '.join(sorted(OPTIONS))}."
        )
    auth = stored.get("auth")
    if auth not in AUTHS:
        raise EntryError(f"auth is one of {', '.join(AUTHS)}.")
    return Entry(
        parser=Listing(shape_of(stored)),
        url=address(stored.get("url")),
        auth=str(auth),
        auth_header=str(stored.get("auth_header") or ""),
    )


def shape_of(stored: Mapping[str, object]) -> Shape:
    shape = SHAPES.get(str(stored.get("parser")))
    if shape is None:
        raise EntryError(
            f"There is no parser {stored.get('parser')}; there are {', '.join(sorted(SHAPES))}."
        )
    rule = overridden(kinds(stored.get("kinds", [])), shape.capabilities)
    shape = replace(shape, capabilities=rule)
    if "price_unit" in stored:
        shape = in_unit(shape, stored["price_unit"])
    return paged(shape, stored["page_size"]) if "page_size" in stored else shape


def address(url: object) -> str:
    try:
        return checked(str(url))
    except ListingError as problem:
        raise EntryError(f"url is {problem}.") from None


def kinds(stored: object) -> Kinds:
    """Read the rules over ids. A list of pairs, as its order counts and databases drop objects'."""
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise EntryError('kinds is a list such as [["*guard*", ["chat"]]].')
    return tuple(kind(pair) for pair in stored)


def kind(pair: object) -> tuple[re.Pattern[str], frozenset[str]]:
    match pair:
        case [str(glob), [*named]] if all(name in KNOWN for name in named):
            return pattern(glob), frozenset(str(name) for name in named)
    raise EntryError(f'Write a kind as ["*guard*", ["chat"]]; there are {", ".join(KNOWN)}.')


def in_unit(shape: Shape, unit: object) -> Shape:
    if shape.prices_in is None:
        raise EntryError("This parser takes no price_unit: its lists have one unit, or no prices.")
    if unit not in PER_TOKEN:
        raise EntryError(f"price_unit is one of {', '.join(PER_TOKEN)}.")
    return replace(shape, prices=shape.prices_in(Unit(str(unit))))


def paged(shape: Shape, size: object) -> Shape:
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MOST_PAGE_SIZE:
        raise EntryError(f"page_size is a whole number from 1 to {MOST_PAGE_SIZE}.")
    paging = sized(shape.paging, size)
    if paging is None:
        raise EntryError("This parser takes no page_size: its lists have one page.")
    return replace(shape, paging=paging)

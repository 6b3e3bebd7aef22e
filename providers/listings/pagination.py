"""Where a list's next page is. A style adds its page size to an address that has none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from providers.listings import addresses
from providers.listings.fields import CONTROL, Fields, whole
from providers.listings.values import ListingError

MOST_CURSOR = 4_000


@dataclass(frozen=True, slots=True)
class Read:
    """A page that was read: where, its headers, the envelope without its rows, rows of any kind."""

    url: str
    headers: Mapping[str, str]
    envelope: Fields
    count: int


class Style(Protocol):
    def first(self, url: str) -> str: ...

    def next(self, read: Read) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """One page is all."""

    def first(self, url: str) -> str:
        return url

    def next(self, read: Read) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """`Link: <…>; rel="next"`, whose address is complete and opaque."""

    size_param: str
    size: int
    asks: tuple[tuple[str, str], ...] = ()

    def first(self, url: str) -> str:
        return addresses.with_defaults(url, [(self.size_param, str(self.size)), *self.asks])

    def next(self, read: Read) -> str | None:
        header = ", ".join(v for k, v in read.headers.items() if k.lower() == "link")
        target = addresses.next_link(header)
        return None if target is None else addresses.following(read.url, target)


@dataclass(frozen=True, slots=True)
class NextLink:
    """The next page's address is in the envelope."""

    path: str

    def first(self, url: str) -> str:
        return url

    def next(self, read: Read) -> str | None:
        target = cursor(read.envelope, self.path)
        return addresses.following(read.url, target) if target else None


@dataclass(frozen=True, slots=True)
class Numbered:
    """Pages with numbers from 1, as many as the envelope says. Without a count: the only page."""

    page_param: str
    size_param: str
    size: int
    pages: str

    def first(self, url: str) -> str:
        return addresses.with_defaults(
            url, [(self.page_param, "1"), (self.size_param, str(self.size))]
        )

    def next(self, read: Read) -> str | None:
        number = whole(addresses.parameter(read.url, self.page_param)) or 1
        pages = whole(read.envelope.at(self.pages)) or 1
        if not read.count or number >= pages:
            return None
        return addresses.with_parameter(read.url, self.page_param, str(number + 1))


@dataclass(frozen=True, slots=True)
class Offset:
    """From an offset, until as many came as the envelope says, or a page is empty.

    The offset grows by the rows that came: a server may send fewer than were asked for.
    """

    size_param: str
    offset_param: str
    size: int
    total: str

    def first(self, url: str) -> str:
        return addresses.with_defaults(url, [(self.size_param, str(self.size))])

    def next(self, read: Read) -> str | None:
        offset = whole(addresses.parameter(read.url, self.offset_param)) or 0
        reached, total = offset + read.count, whole(read.envelope.at(self.total))
        if not read.count or (total is not None and reached >= total):
            return None
        return addresses.with_parameter(read.url, self.offset_param, str(reached))


@dataclass(frozen=True, slots=True)
class Token:
    """An opaque token in the envelope. Where `more` is given, it says whether there is a page."""

    param: str
    field: str
    size_param: str
    size: int
    more: str = ""

    def first(self, url: str) -> str:
        return addresses.with_defaults(url, [(self.size_param, str(self.size))])

    def next(self, read: Read) -> str | None:
        if self.more and not read.envelope.flag(self.more):
            return None
        token = cursor(read.envelope, self.field)
        if self.more and not token:
            raise ListingError("more pages, but no cursor to them")
        if not token:
            return None
        return addresses.another(read.url, addresses.with_parameter(read.url, self.param, token))


def sized(style: Style, size: int) -> Style | None:
    """Return the style with pages of another size, None where a list has but one page."""
    if isinstance(style, LinkHeader | Numbered | Offset | Token):
        return replace(style, size=size)
    return None


def cursor(envelope: Fields, path: str) -> str:
    """Return the cursor, "" at the end."""
    value = envelope.at(path)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MOST_CURSOR or CONTROL.search(value):
        raise ListingError(f"`{path}` is no cursor")
    return value

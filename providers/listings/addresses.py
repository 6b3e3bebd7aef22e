"""Addresses of pages: parameters are added, cursors that lead elsewhere are refused."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from providers.listings.values import ListingError

MOST_ADDRESS = 8_000
STRANGE = re.compile(r"[^\x21-\x7e]|[\\<>\"]")
LINK = re.compile(r"<([^<>]*)>([^<>]*)")
REL = re.compile(r";\s*rel\s*=\s*\"?([^\";,]*)", re.IGNORECASE)


def pairs(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def parameter(url: str, name: str) -> str:
    """Return a parameter of the query, "" without it."""
    return next((value for key, value in pairs(url) if key == name), "")


def with_defaults(url: str, wanted: Iterable[tuple[str, str]]) -> str:
    """Add the parameters that the address does not set itself."""
    there = {key for key, _ in pairs(url)}
    missing = [pair for pair in wanted if pair[0] not in there]
    return _joined(url, [*pairs(url), *missing]) if missing else url


def with_parameter(url: str, name: str, value: str) -> str:
    return _joined(url, [*((k, v) for k, v in pairs(url) if k != name), (name, value)])


def _joined(url: str, query: list[tuple[str, str]]) -> str:
    return urlsplit(url)._replace(query=urlencode(query), fragment="").geturl()


def checked(url: str) -> str:
    """Return an address that can be fetched. Raise ListingError for any other."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ListingError("an address that cannot be parsed") from None
    if STRANGE.search(url) or len(url) > MOST_ADDRESS or parts.scheme not in ("http", "https"):
        raise ListingError("an address that cannot be fetched")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise ListingError("an address without a host, or with a user")
    return url


def following(url: str, target: str) -> str:
    """Resolve the next page's address as the page at `url` gives it.

    Raise ListingError unless it is another page of the same list: same scheme, host, port and
    path. The credential goes along, so nothing that a provider answers may lead it elsewhere.
    """
    try:
        found = checked(urljoin(url, target))
    except ValueError as problem:
        raise ListingError(f"the next page is {problem}") from None
    here, there = urlsplit(url), urlsplit(found)
    if (here.scheme, here.hostname, here.port) != (there.scheme, there.hostname, there.port):
        raise ListingError(f"the next page is on another host: {there.hostname}")
    if here.path != there.path:
        raise ListingError("the next page is not a page of this list")
    return another(url, found)


def another(url: str, found: str) -> str:
    """Refuse a next page that is the one that was just read."""
    if found == url:
        raise ListingError("the next page is this page")
    return found


def next_link(header: str) -> str | None:
    """Return the target of rel="next" in a Link header.

    Raise ListingError when there is one that cannot be read: a list cut short is not the list.
    """
    for target, parameters in LINK.findall(header):
        if names_next(parameters):
            return str(target).strip()
    if names_next(header):
        raise ListingError("the next page's address cannot be read")
    return None


def names_next(parameters: str) -> bool:
    return any("next" in named.lower().split() for named in REL.findall(parameters))

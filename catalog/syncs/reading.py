"""All that a provider lists: its lists page by page, each model once."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from catalog.syncs.facts import merged
from providers.fetching import Fetched, Fetcher, FetchFailed
from providers.listings.values import Entry, Listed, ListingError, Page, PageAsk, Refused

MOST_PAGES = 500
LONGEST_S = 1800.0
MOST_REFUSED = 200


class Unreadable(FetchFailed):
    """A page came, and it is not the list that its parser knows."""


@dataclass(slots=True)
class Report:
    """What one list gave. etag: only of a list with one page; total: what the provider claims."""

    url: str
    etag: str = ""
    hash: str = ""
    pages: int = 0
    rows: int = 0
    unique: int = 0
    total: int | None = None
    note: str = ""


@dataclass(slots=True)
class Reading:
    """Every listed model by upstream id, and how the lists were. unchanged: all answered 304."""

    listed: dict[str, Listed] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0
    unchanged: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Return pages, rows, unique and duplicates. A model in two lists is no duplicate."""
        rows, unique = (sum(getattr(r, name) for r in self.reports) for name in ("rows", "unique"))
        shared = unique - len(self.listed)
        return {
            "pages": sum(report.pages for report in self.reports),
            "rows": rows - shared,
            "unique": len(self.listed),
            "duplicates": rows - unique,
        }

    @property
    def entries(self) -> list[dict[str, object]]:
        return [asdict(report) for report in self.reports]

    def objections(self) -> list[str]:
        """Say which lists ended before what they claim to hold."""
        return [f"{place(r.url)}: {r.note}" for r in self.reports if r.note]


Progress = Callable[[Report, Reading], None]


class Reader:
    """Reads a provider's lists. Raises FetchFailed; nothing is kept of a reading that failed.

    headers: per list, credential included; etags: per address, when an unchanged list may be left.
    """

    def __init__(self, fetcher: Fetcher, progress: Progress, most_pages: int = MOST_PAGES) -> None:
        self._fetcher, self._progress, self._most_pages = fetcher, progress, most_pages
        self._until = time.monotonic() + LONGEST_S
        self._reading = Reading()

    def read(
        self,
        entries: Sequence[tuple[Entry, Mapping[str, str]]],
        etags: Mapping[str, str] | None = None,
    ) -> Reading:
        asks = [(entry, headers, said(entry.parser.first, entry.url)) for entry, headers in entries]
        firsts = [self._first(ask, headers, etags or {}) for _, headers, ask in asks]
        if firsts and all(page.unchanged for page in firsts):
            self._reading.unchanged = True
            return self._reading
        for (entry, headers, ask), page in zip(asks, firsts, strict=True):
            self._list(entry, headers, ask, self._get(ask, headers) if page.unchanged else page)
        return self._reading

    def _first(self, ask: PageAsk, headers: Mapping[str, str], etags: Mapping[str, str]) -> Fetched:
        etag = etags.get(ask.url)
        return self._get(ask, {**headers, "if-none-match": etag} if etag else headers)

    def _get(self, ask: PageAsk, headers: Mapping[str, str], number: int = 1) -> Fetched:
        if time.monotonic() > self._until:
            raise FetchFailed(f"the lists took more than {LONGEST_S / 60:.0f} minutes")
        try:
            return self._fetcher.get(ask.url, headers)
        except FetchFailed as problem:
            raise FetchFailed(f"page {number} of {place(ask.url)}: {problem}") from problem

    def _list(
        self, entry: Entry, headers: Mapping[str, str], ask: PageAsk, fetched: Fetched
    ) -> None:
        """Read a list to its end. A page that brings nothing new is the end of it."""
        report = Report(ask.url)
        self._reading.reports.append(report)
        digest, seen = hashlib.sha256(), set[str]()
        while True:
            report.pages += 1
            digest.update(fetched.body)
            page = self._page(entry, ask, fetched, report.pages)
            new = self._keep(page, report, seen)
            self._progress(report, self._reading)
            if page.next is None or (page.rows and not new):
                break
            if report.pages >= self._most_pages:
                raise FetchFailed(f"{place(ask.url)} has more than {self._most_pages} pages")
            ask = page.next
            fetched = self._get(ask, headers, report.pages + 1)
        report.hash = digest.hexdigest()
        report.etag = fetched.headers.get("etag", "") if report.pages == 1 else ""
        if page.next is not None:
            short = report.total and report.unique < report.total
            claim = f", {report.unique:,} of {report.total:,} models were there" if short else ""
            report.note = f"page {report.pages} repeats what came before{claim}" if short else ""

    def _page(self, entry: Entry, ask: PageAsk, fetched: Fetched, number: int) -> Page:
        try:
            return entry.parser.read(ask, fetched.headers, fetched.body)
        except ListingError as problem:
            raise Unreadable(f"page {number} of {place(ask.url)}: {problem}") from problem

    def _keep(self, page: Page, report: Report, seen: set[str]) -> int:
        """Take over a page; return how many models of it are new in this list."""
        listed = self._reading.listed
        before = len(seen)
        for row in page.rows:
            if row.upstream_id in seen:
                continue
            seen.add(row.upstream_id)
            other = listed.get(row.upstream_id)
            listed[row.upstream_id] = row if other is None else merged(other, row)
        report.rows += len(page.rows)
        report.unique = len(seen)
        report.total = page.total or report.total
        self._refuse(page.refused)
        return len(seen) - before

    def _refuse(self, refused: Sequence[Refused]) -> None:
        room = MOST_REFUSED - len(self._reading.refused)
        self._reading.refused += refused[:room]
        self._reading.refused_count += len(refused)


def said(first: Callable[[str], PageAsk], url: str) -> PageAsk:
    try:
        return first(url)
    except ListingError as problem:
        raise FetchFailed(f"{place(url)}: {problem}") from problem


def place(url: str) -> str:
    """Name a list without its query, where cursors and keys may be."""
    return urlsplit(url)._replace(query="", fragment="").geturl()

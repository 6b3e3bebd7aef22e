"""Lists of models as bytes: made once, cut and joined afterwards, never encoded again."""

import gzip
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from typing import Any

from msgspec.json import Encoder

from catalog.listing import Entry, View
from catalog.turns import politely

HEAD = b'{"object":"list","data":['
ENTRY_BYTES = 400  # about what an entry needs beside its JSON
Rank = Callable[[Entry], Any]
_encode = Encoder().encode


def cost(entry: Entry) -> float:
    """A prompt's and an answer's token together; what has no known price comes last."""
    price = entry.offers[0].price
    sides = [side for side in (price.input, price.output) if side is not None]
    return sum(sides) if sides else float("inf")


def context(entry: Entry) -> int:
    return -(entry.offers[0].context_length or entry.model.context_length or 0)


def latency(entry: Entry) -> float:
    return min((o.latency_ms for o in entry.offers if o.latency_ms is not None), default=1e9)


def throughput(entry: Entry) -> float:
    return -max((o.throughput_tps or 0.0 for o in entry.offers), default=0.0)


def dearest(entry: Entry) -> float:
    known = cost(entry)
    return known if known == float("inf") else -known


def title(entry: Entry) -> str:
    return (entry.model.name or entry.model.id).casefold()


def age(entry: Entry) -> int:
    return -entry.model.created


SORTS: Mapping[str, Rank] = {
    "name": title,
    "created": age,
    "price": cost,
    "context": context,
    "latency": latency,
    "throughput": throughput,
    "newest": age,
    "pricing-low-to-high": cost,
    "pricing-high-to-low": dearest,
    "context-high-to-low": context,
    "latency-low-to-high": latency,
    "throughput-high-to-low": throughput,
}


@dataclass(frozen=True, slots=True)
class Order:
    """numbers: of rows, first to last; places: the other way round."""

    numbers: "array[int]"
    places: "array[int]"


class Sheet:
    """One list. `body` answers a request for all of it; `gzipped` once it was asked for.

    numbers: by id. able: by capability, the numbers of rows. counts: by slug, how many rows.
    """

    def __init__(self, view: View, entries: list[Entry], rows: list[bytes]) -> None:
        self.entries, self.view = entries, view
        self.expires_at = expiry(view)
        self.numbers = {entry.model.id: number for number, entry in politely(enumerate(entries))}
        self.able: dict[str, array[int]] = {}
        self.counts: dict[str, int] = {}
        self._starts = array("I")
        start = len(HEAD)
        for number, entry in politely(enumerate(entries)):
            self._starts.append(start)
            start += len(rows[number]) + 1
            for can in entry.capabilities:
                self.able.setdefault(can, array("I")).append(number)
            for offer in entry.offers:
                self.counts[offer.slug] = self.counts.get(offer.slug, 0) + 1
        self._starts.append(start)
        self.body = joined(rows, self._tail(len(rows), None, 0, len(rows)))
        self.etag = blake2b(self.body, digest_size=16).hexdigest()
        self.gzipped: bytes | None = None
        self._orders: dict[str, Order] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def size(self) -> int:
        return len(self.body) + len(self.gzipped or b"") + ENTRY_BYTES * len(self)

    def row(self, number: int) -> bytes:
        return self.body[self._starts[number] : self._starts[number + 1] - 1]

    def known(self, entry: Entry) -> tuple[Entry, bytes] | None:
        """Return the equal entry that is here, and its row, if there is one."""
        number = self.numbers.get(entry.model.id)
        if number is None:
            return None
        ours = self.entries[number]
        return (ours, self.row(number)) if ours is entry or ours == entry else None

    def tells_of(self, view: View) -> bool:
        """Whether entries of the view differ from these only where models or offers do."""
        return self.view.now <= view.now < self.expires_at and view.is_like(self.view)

    def entry(self, model_id: str) -> Entry | None:
        number = self.numbers.get(model_id)
        return None if number is None else self.entries[number]

    def compressed(self) -> bytes:
        """Return the body, gzipped; slow the first time, for a thread."""
        if self.gzipped is None:
            self.gzipped = gzip.compress(self.body, 6, mtime=0)
        return self.gzipped

    def has_order(self, sort: str) -> bool:
        return sort in self._orders

    def order(self, sort: str) -> Order:
        """Return the rows in the order of SORTS[sort]; slow the first time, for a thread."""
        found = self._orders.get(sort)
        if found is None:
            ranks = [SORTS[sort](entry) for entry in politely(self.entries)]
            numbers = array("I", sorted(range(len(ranks)), key=ranks.__getitem__))
            places = array("I", bytes(4 * len(numbers)))
            for place, number in enumerate(numbers):
                places[number] = place
            found = self._orders[sort] = Order(numbers, places)
        return found

    def page(self, numbers: Sequence[int], limit: int | None, offset: int) -> bytes:
        """Return the answer that holds these rows, cut by limit and offset."""
        end = len(numbers) if limit is None else offset + limit
        cut = numbers[offset:end]
        if isinstance(cut, range):
            rows = self.body[self._starts[cut.start] : self._starts[cut.stop] - 1] if cut else b""
        else:
            rows = b",".join([self.row(number) for number in cut])
        return b"".join((HEAD, rows, self._tail(len(cut), limit, offset, len(numbers))))

    def _tail(self, returned: int, limit: int | None, offset: int, total: int) -> bytes:
        rest = {
            "total": total,
            "returned": returned,
            "limit": limit,
            "offset": offset,
            "gateway": self.view.slug,
            "has_more": offset + returned < total,
        }
        return b"]," + _encode(rest)[1:]


def joined(rows: Sequence[bytes], tail: bytes) -> bytes:
    """Return the whole list. In short turns: 50,000 rows at once take 40 ms."""
    whole = BytesIO()
    whole.write(HEAD)
    for number, row in politely(enumerate(rows)):
        whole.write(b"," if number else b"")
        whole.write(row)
    whole.write(tail)
    return whole.getvalue()  # its own memory, not a copy


def expiry(view: View) -> float:
    """Return when the next block rule comes to mean something else."""
    turns = [turn for block in view.snapshot.blocks for turn in block.turns_at()]
    return min((turn for turn in turns if turn > view.now), default=float("inf"))


def sheet_of(view: View, older: Sequence[Sheet] = ()) -> Sheet:
    """Make the list; what `older` ones have is taken over. In short turns, for a thread."""
    entries, rows = [], []
    for entry in listed(view, older):
        found = (known for sheet in older if (known := sheet.known(entry)) is not None)
        entry, row = next(found, None) or (entry, _encode(entry.row()))
        entries.append(entry)
        rows.append(row)
    return Sheet(view, entries, rows)


def listed(view: View, older: Sequence[Sheet]) -> Iterator[Entry]:
    """Yield the entries; what follows from rows that did not change is not worked out again."""
    like = next((sheet for sheet in older if sheet.tells_of(view)), None)
    if like is None:
        yield from view.entries()
        return
    for model_id in view.ids():
        same = view.says_the_same(like.view, model_id)
        entry = like.entry(model_id) if same else view.listed(model_id)
        if entry is not None:
            yield entry

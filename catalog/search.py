"""Finds models by what people type, and the ids that are most like a name that nobody has. Pure."""

import threading
from bisect import insort
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from catalog.tables import Query, Ranked, Table, fingerprint, order_of
from catalog.turns import politely
from catalog.words import squeezed

if TYPE_CHECKING:
    from catalog.values import Model

LIKE = (0.3, 0.3, 0.5)  # of what has all words, all with typos, most of them
CLOSEST = 100  # compared as a whole
FEW, SHARE = (
    64,
    10,
)  # so many models, or one in so many, may differ from a table before it is redone


class Index:
    """A table of all models, and a small one of what changed since. Unchanging."""

    __slots__ = ("_base", "_extra", "_gone")

    def __init__(
        self, base: Table, extra: Table | None = None, gone: frozenset[str] = frozenset()
    ) -> None:
        self._base, self._extra, self._gone = base, extra, gone

    def updated(self, models: "Mapping[str, Model]") -> "Index | None":
        """Return the index of `models`; None where so much changed that it is better made anew."""
        base = self._base
        gone = {
            model_id
            for model_id, mark in politely(zip(base.ids, base.prints, strict=True))
            if (model := models.get(model_id)) is None or fingerprint(model) != mark
        }
        known = set(base.ids) - gone
        fresh = [model for model_id, model in politely(models.items()) if model_id not in known]
        if len(gone) + len(fresh) > max(FEW, len(base.ids) // SHARE):
            return None
        return Index(base, Table(fresh) if fresh else None, frozenset(gone))

    def search(self, text: str, most: int) -> tuple[int, list[str]]:
        """Return ids, best first, and how they match; at least `most` if there are so many."""
        query = Query.of(text)
        how, ranked = self._base.search(query, most + len(self._gone))
        if self._gone:
            ranked = [(score, self._kept(ids)) for score, ids in ranked]
        if self._extra is not None:
            how, ranked = better((how, ranked), self._extra.search(query, most))
        first = self._spelled(text.casefold())
        rest = refined(ranked, squeezed(text))
        return how, list(dict.fromkeys(first + rest)) if first else rest

    def _kept(self, ids: list[str]) -> list[str]:
        return [model_id for model_id in ids if model_id not in self._gone]

    def _spelled(self, folded: str) -> list[str]:
        extra = self._extra.spelled(folded) if self._extra is not None else []
        return self._kept(self._base.spelled(folded)) + extra


def better(one: tuple[int, Ranked], other: tuple[int, Ranked]) -> tuple[int, Ranked]:
    """Return what matches better; both, in order, if they match alike."""
    if not any(ids for _, ids in one[1]) or (other[1] and other[0] < one[0]):
        return other
    if not other[1] or one[0] < other[0]:
        return one
    groups = dict(one[1])
    for score, ids in other[1]:
        group = groups.setdefault(score, [])
        for model_id in ids:
            insort(group, model_id, key=order_of)
    return one[0], sorted(groups.items(), reverse=True)


def refined(ranked: Ranked, whole: str) -> list[str]:
    """Return the ids, among the first of equal scores what is most like the whole."""
    pairs = pairs_of(whole)
    found: list[str] = []
    for _, ids in ranked:
        close = ids[: max(0, CLOSEST - len(found))]
        close.sort(key=lambda model_id: -likeness(pairs, model_id))
        found += close + ids[len(close) :]
    return found


class Finder:
    """Searches the models of one snapshot.

    Its index is made by `catch_up` and `prepare`, or by the first search; until then an older
    finder's answers, so that no request waits for it.
    """

    def __init__(self, models: "Mapping[str, Model]", older: "Finder | None" = None) -> None:
        self._models = models
        self._index: Index | None = None
        self._older = older._newest() if older is not None else None
        self._lock = threading.Lock()

    def _newest(self) -> Index | None:
        return self._index or self._older

    def catch_up(self) -> None:
        """Take over an older finder's index if little has changed."""
        with self._lock:
            if self._index is None and self._older is not None:
                self._index = self._older.updated(self._models)

    def prepare(self) -> None:
        """Have an index of exactly these models; takes a second for 50,000."""
        self.catch_up()
        with self._lock:
            if self._index is None:
                self._index = Index(Table(self._models.values()))
            self._older = None

    def search(self, text: str) -> list[str]:
        """Return the ids of the models that `text` may mean, best first."""
        ids = self._search(text, len(self._models))[1]
        return list(dict.fromkeys([text, *ids])) if text in self._models else ids

    def nearest(self, name: str) -> list[str]:
        """Return the ids that look like `name`, the likest first."""
        pairs = pairs_of(squeezed(name))
        ends = pairs_of(squeezed(name.rpartition("/")[2]))
        how, ids = self._search(name, CLOSEST)
        close = [
            (max(likeness(pairs, model_id), likeness(ends, model_id.rpartition("/")[2])), model_id)
            for model_id in ids[:CLOSEST]
        ]
        close.sort(key=lambda row: -row[0])
        return [model_id for like, model_id in close if like >= LIKE[how]]

    def _search(self, text: str, most: int) -> tuple[int, list[str]]:
        if self._newest() is None:
            self.prepare()
        index = self._newest()
        assert index is not None
        how, ids = index.search(text, most)
        return how, ids if index is self._index else [one for one in ids if one in self._models]


def pairs_of(text: str) -> set[str]:
    """Return the pairs of neighbouring letters, the first letter being one with the beginning."""
    return {one + next_ for one, next_ in pairwise(f" {text}")}


def likeness(pairs: set[str], model_id: str) -> float:
    """Return from 0 to 1 how many pairs two texts share."""
    others = pairs_of(squeezed(model_id))
    return 2 * len(pairs & others) / (len(pairs) + len(others) or 1)

"""Models by their words: ids, names, descriptions, capabilities, each with its weight. Pure."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.turns import politely
from catalog.words import Typos, Vocabulary, in_order, squeezed, words_of

if TYPE_CHECKING:
    from catalog.values import Model

WHOLE, BEGINNING, PART, TYPO, TEXT = 10, 7, 5, 4, 2  # what a letter of a word that is found counts
LONGEST = 8  # letters of a word that count
MOST_WORDS = 12
DESCRIPTION = 500  # letters of a description that are read
COMMON = 5_000  # of words in more models, only what rarer words found too is looked at
COVERED = 0.5
WITH_ALL, WITH_TYPOS, WITH_MOST = range(3)

Found = dict[int, int]
Ranked = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed: its words, all of it without gaps, and how much could be scored."""

    words: tuple[str, ...]
    whole: str
    most: int

    @classmethod
    def of(cls, text: str) -> "Query":
        words = tuple(dict.fromkeys(words_of(text)))[:MOST_WORDS]
        return cls(words, squeezed(text), sum(WHOLE * letters(word) for word in words))


def letters(word: str) -> int:
    return min(len(word), LONGEST)


class Table:
    """Some models' words, as they are. Documents are numbers, in the order of folded ids."""

    __slots__ = ("_ends", "_texts", "_typos", "_words", "ids", "prints")

    def __init__(self, models: Collection["Model"]) -> None:
        by_id = {model.id: model for model in models}
        self.ids = ids_in_order(by_id)
        self.prints = array("q")
        words: dict[str, list[int]] = {}
        texts: dict[str, list[int]] = {}
        ends: dict[str, list[int]] = {}
        for number, model_id in politely(enumerate(self.ids)):
            model = by_id[model_id]
            self.prints.append(fingerprint(model))
            note(words, number, words_of(f"{model.id} {model.name}"))
            told = " ".join((model.description[:DESCRIPTION], *model.capabilities))
            note(texts, number, words_of(told))
            note(ends, number, [squeezed(model.id.rpartition("/")[2])])
        self._words, self._texts, self._ends = map(Vocabulary, (words, texts, ends))
        self._typos = Typos(self._words)

    def spelled(self, folded: str) -> list[str]:
        """Return the ids that are `folded` but for their case."""
        first = bisect_left(self.ids, folded, key=str.casefold)
        return self.ids[first : bisect_right(self.ids, folded, lo=first, key=str.casefold)]

    def search(self, query: Query, most: int) -> tuple[int, Ranked]:
        """Return the models that have all words, or else with typos, or else most; best first.

        They are grouped by score; before them is which of the three it was.
        """
        alone = len(query.words) == 1
        found = [self._plain(word, alone) for word in query.words]
        how, scores = WITH_ALL, in_all(found)
        if not scores:
            found = [self._lenient(*pair) for pair in zip(query.words, found, strict=True)]
            how, scores = WITH_TYPOS, in_all(found)
        if not scores:
            how, scores = WITH_MOST, in_most(found, query.most * COVERED)
        self._add_whole(query, scores)
        return how, self._grouped(scores, most)

    def _grouped(self, scores: Found, most: int) -> Ranked:
        """Return `most` models or some more: all that are as good as the last of them."""
        groups: dict[int, list[int]] = {}
        for number in sorted(scores):
            groups.setdefault(scores[number], []).append(number)
        ranked: Ranked = []
        for score in sorted(groups, reverse=True):
            if most <= 0:
                break
            ranked.append((score, [self.ids[number] for number in groups[score]]))
            most -= len(groups[score])
        return ranked

    def _plain(self, word: str, alone: bool) -> Found:
        """Return who has the word. Of one letter, words that begin with it count if it is alone."""
        weight = letters(word)
        broad = alone or len(word) > 1
        found: Found = dict.fromkeys(self._texts.exact(word), TEXT * weight)
        if broad:
            found.update(dict.fromkeys(self._texts.longer(word), TEXT * weight))
        if len(word) > 1:
            for documents in self._words.inside(word):
                found.update(dict.fromkeys(documents, PART * weight))
        if broad:
            found.update(dict.fromkeys(self._words.longer(word), BEGINNING * weight))
        found.update(dict.fromkeys(self._words.exact(word), WHOLE * weight))
        return found or self._joined(squeezed(word))

    def _joined(self, word: str) -> Found:
        """Return whose id has the word over a gap, as `llama3` is in Llama-3."""
        found: Found = {}
        if len(word) > 1:
            for documents in (*self._ends.inside(word), self._ends.longer(word)):
                found.update(dict.fromkeys(documents, PART * letters(word)))
            found.update(dict.fromkeys(self._ends.exact(word), PART * letters(word)))
        return found

    def _lenient(self, word: str, plain: Found) -> Found:
        near = self._typos.near(word)
        return dict.fromkeys(near, TYPO * letters(word)) | plain if near else plain

    def _add_whole(self, query: Query, scores: Found) -> None:
        """Prefer ids that begin with all of what was typed, or are that."""
        whole = query.whole
        for documents, times in ((self._ends.longer(whole), 1), (self._ends.exact(whole), 2)):
            for number in documents if whole else ():
                if number in scores:
                    scores[number] += times * len(whole)


def order_of(model_id: str) -> tuple[str, str]:
    return model_id.casefold(), model_id


def ids_in_order(ids: Iterable[str]) -> list[str]:
    """Sort as `order_of` says, in short turns."""
    by_folded: dict[str, list[str]] = {}
    for model_id in politely(ids):
        by_folded.setdefault(model_id.casefold(), []).append(model_id)
    return [model_id for folded in in_order(by_folded) for model_id in sorted(by_folded[folded])]


def fingerprint(model: "Model") -> int:
    """Return a number that differs when what is searched does."""
    return hash((model.id, model.name, model.description, model.capabilities))


def note(table: dict[str, list[int]], number: int, words: Iterable[str]) -> None:
    for word in set(words):
        table.setdefault(word, []).append(number)


def in_all(found: list[Found]) -> Found:
    """Return the sums of what has every word."""
    if len(found) < 2:
        return dict(found[0]) if found else {}
    first, *others = sorted(found, key=len)
    numbers = set(first)
    for other in others:
        numbers &= other.keys()
    return {number: sum([one[number] for one in found]) for number in numbers}


def in_most(found: list[Found], enough: float) -> Found:
    """Return the sums that reach `enough`, of documents that have one of the rarer words."""
    numbers: set[int] = set()
    for one in sorted(found, key=len):
        if numbers and len(numbers) + len(one) > COMMON:
            break
        numbers.update(one)
    sums = {number: sum([one.get(number, 0) for one in found]) for number in numbers}
    return {number: total for number, total in sums.items() if total >= enough}

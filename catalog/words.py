"""Words and the documents that have them, in little room: found whole, by a part, with a typo."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from catalog.turns import politely

WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*")
BETWEEN = re.compile(r"[\W_]+")
NOT_LETTERS = re.compile(r"[\W\d_]+")
SHORTEST_TYPO, LONGEST_TYPO = 3, 20
BUCKETS = 256


def words_of(text: str) -> list[str]:
    """Return the words, folded; a version such as 3.3 is one."""
    return WORD.findall(text.casefold())


def squeezed(text: str) -> str:
    """Return letters and digits alone: people write `gpt4o` for `gpt-4o`."""
    return BETWEEN.sub("", text.casefold())


class Vocabulary:
    """Terms in order; the documents of each are a slice of one array. Unchanging.

    The terms are one text, too, so that those which hold some letters are found at C's speed.
    """

    __slots__ = ("_bounds", "_documents", "_starts", "_text", "terms")

    def __init__(self, documents: Mapping[str, Sequence[int]]) -> None:
        self.terms = in_order(documents)
        self._documents = array("I")
        self._bounds = array("I", [0])
        self._starts = array("I")
        start = 1
        for term in politely(self.terms):
            self._documents.extend(documents[term])
            self._bounds.append(len(self._documents))
            self._starts.append(start)
            start += len(term) + 1
        self._text = "\n".join(("", *self.terms, ""))

    def documents(self, first: int, last: int) -> "array[int]":
        """Return the documents of the terms from `first` to before `last`."""
        return self._documents[self._bounds[first] : self._bounds[last]]

    def exact(self, term: str) -> "array[int]":
        at = bisect_left(self.terms, term)
        there = at < len(self.terms) and self.terms[at] == term
        return self.documents(at, at + there)

    def longer(self, term: str) -> "array[int]":
        """Return the documents of the terms that begin with `term` and go on."""
        first = bisect_right(self.terms, term)
        last = bisect_left(self.terms, term + "\U0010ffff", lo=first)
        return self.documents(first, last)

    def inside(self, part: str) -> Iterator["array[int]"]:
        """Yield the documents of each term that holds `part`, but not at its beginning."""
        at = self._text.find(part)
        while at >= 0:
            term = bisect_right(self._starts, at) - 1
            if at > self._starts[term]:
                yield self.documents(term, term + 1)
            at = self._text.find(part, self._starts[term] + len(self.terms[term]))


class Typos:
    """Finds terms that are one letter away: both sides are compared with one letter left out.

    A bucket holds hashes of such remainders, each with its term's number in the lower bits.
    """

    __slots__ = ("_buckets", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        buckets = [array("Q") for _ in range(BUCKETS)]
        for number, term in politely(enumerate(vocabulary.terms)):
            if can_err(term):
                for rest in remainders(term):
                    code = hash(rest) & 0xFFFFFFFF
                    buckets[code % BUCKETS].append(code << 32 | number)
        self._buckets = [array("Q", sorted(bucket)) for bucket in politely(buckets)]

    def near(self, term: str) -> "array[int]":
        """Return the documents of the terms that are one typo away from `term`."""
        if not can_err(term):
            return array("I")
        numbers = set(chain.from_iterable(map(self._with, remainders(term))))
        terms = self._vocabulary.terms
        close = sorted(number for number in numbers if one_typo(term, terms[number]))
        found = array("I")
        for number in close:
            found.extend(self._vocabulary.documents(number, number + 1))
        return found

    def _with(self, rest: str) -> Iterable[int]:
        code = hash(rest) & 0xFFFFFFFF
        bucket = self._buckets[code % BUCKETS]
        first = bisect_left(bucket, code << 32)
        last = bisect_left(bucket, (code + 1) << 32, lo=first)
        return [entry & 0xFFFFFFFF for entry in bucket[first:last]]


def in_order(terms: Iterable[str]) -> list[str]:
    """Sort in short turns: one sort of everything would not let others in."""
    by_letter: dict[str, list[str]] = {}
    for term in politely(terms):
        by_letter.setdefault(term[:1], []).append(term)
    found: list[str] = []
    for letter in politely(sorted(by_letter)):
        found += sorted(by_letter[letter])
    return found


def can_err(term: str) -> bool:
    """Whether typos in `term` are looked for: never in what is mostly a number, as `70b`."""
    letters = len(NOT_LETTERS.sub("", term))
    return letters >= SHORTEST_TYPO and len(term) <= LONGEST_TYPO


def remainders(term: str) -> set[str]:
    """Return the term and what is left of it without one letter."""
    return {term} | {term[:at] + term[at + 1 :] for at in range(len(term))}


def one_typo(asked: str, term: str) -> bool:
    """Whether one letter was added, left out, mistaken, or two were swapped; digits must agree."""
    if asked == term or abs(len(asked) - len(term)) > 1:
        return False
    if [one for one in asked if one.isdigit()] != [one for one in term if one.isdigit()]:
        return False
    at = 0
    while at < min(len(asked), len(term)) and asked[at] == term[at]:
        at += 1
    rest, other = asked[at:], term[at:]
    if rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]:
        return True
    return rest[:2] == other[:2][::-1] and rest[2:] == other[2:]

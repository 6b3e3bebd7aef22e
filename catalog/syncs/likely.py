"""Models that may be one, for an admin to confirm: by names without case, marks and usual words.

Pure, and a report only: nothing is merged by likeness.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WORDS = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*")
IDLE = frozenset({"instruct", "it", "chat", "hf", "meta", "versatile", "latest", "preview", "v"})
FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with the providers that offer it."""

    model_id: str
    providers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    """`other` may be `model`: the one of more providers, and not named after its only one."""

    model: Entry
    other: Entry


def likely(entries: Iterable[Entry]) -> Iterator[Match]:
    """Yield pairs with the same essence; never two that one provider tells apart itself."""
    groups: dict[frozenset[str], list[Entry]] = {}
    for entry in entries:
        words = essence(entry.model_id)
        if len(words) >= FEWEST_WORDS:
            groups.setdefault(words, []).append(entry)
    for group in groups.values():
        first, *rest = sorted(group, key=rank)
        yield from (Match(first, other) for other in rest if not first.providers & other.providers)


def rank(entry: Entry) -> tuple[int, bool, str]:
    named_after_provider = entry.model_id.partition("/")[0] in entry.providers
    return -len(entry.providers), named_after_provider, entry.model_id


def essence(model_id: str) -> frozenset[str]:
    """Return the words of an id's last part that tell models apart: `llama 3.3 70 b`."""
    name = model_id.rpartition("/")[2].lower()
    name = re.sub(r"(\d)[pP_](\d)", r"\1.\2", name)
    base, colon, suffix = name.partition(":")
    return frozenset(word for word in WORDS.findall(base) if word not in IDLE) | (
        {f":{suffix}"} if colon else set()
    )

"""The ids nearest to a name that nobody has."""

from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest

from catalog.values import Snapshot

CANDIDATES = 200


def nearest(snapshot: Snapshot, name: str, count: int = 3) -> list[str]:
    """Return up to `count` model ids that look most like `name`, the likest first.

    A cheap count of shared letter pairs picks candidates; only those are compared at length.
    """
    wanted = name.casefold()
    pairs = pairs_of(wanted)
    shared = ((len(pairs & pairs_of(folded)), folded) for folded in snapshot.folded)
    close = [folded for score, folded in nlargest(CANDIDATES, shared) if score > 1]
    ranked = sorted(close, key=lambda folded: -likeness(wanted, folded))
    likely = [folded for folded in ranked[:count] if likeness(wanted, folded) >= 0.5]
    ids = (spelling for folded in likely for spelling in snapshot.folded[folded])
    return [spelling for spelling in ids if spelling in snapshot.models][:count]


@lru_cache(maxsize=65_536)
def pairs_of(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def likeness(wanted: str, folded: str) -> float:
    """Compare whole ids and their last parts: people forget the organisation."""
    last = folded.rpartition("/")[2]
    return max(
        SequenceMatcher(None, wanted, folded).ratio(),
        SequenceMatcher(None, wanted.rpartition("/")[2], last).ratio() - 0.05,
    )

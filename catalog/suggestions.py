"""The ids nearest to a name that nobody has."""

from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise

from catalog.values import Snapshot

CANDIDATES = 200


def nearest(snapshot: Snapshot, name: str, count: int = 3) -> list[str]:
    """Return up to `count` model ids that look most like `name`, the likest first.

    A cheap count of shared letter pairs picks candidates; only those are compared at length.
    """
    wanted = name.casefold()
    pairs = pairs_of(wanted)
    shared = (((pairs & remembered(folded)).bit_count(), folded) for folded in snapshot.folded)
    close = [folded for score, folded in nlargest(CANDIDATES, shared) if score > 1]
    ranked = sorted(close, key=lambda folded: -likeness(wanted, folded))
    likely = [folded for folded in ranked[:count] if likeness(wanted, folded) >= 0.5]
    ids = (spelling for folded in likely for spelling in snapshot.folded[folded])
    return [spelling for spelling in ids if spelling in snapshot.models][:count]


def pairs_of(text: str) -> int:
    """Return a bit for each pair of neighbouring letters; some pairs share one."""
    letters = text.encode("utf-8", "replace")
    bits = 0
    for one, next_ in pairwise(letters):
        bits |= 1 << ((one * 31 ^ next_) & 511)
    return bits


remembered = lru_cache(maxsize=65_536)(pairs_of)  # of names that exist; what is asked is endless


def likeness(wanted: str, folded: str) -> float:
    """Compare whole ids and their last parts: people forget the organisation."""
    last = folded.rpartition("/")[2]
    return max(
        SequenceMatcher(None, wanted, folded).ratio(),
        SequenceMatcher(None, wanted.rpartition("/")[2], last).ratio() - 0.05,
    )

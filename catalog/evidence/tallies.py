"""Counts and histograms of what happened in some span of time, and what they say. Pure.

A histogram counts milliseconds in steps of a fourth of a doubling, so that a percentile is right
within ten per cent. Only steps that were met take room.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache

from catalog.evidence.verdicts import OK, Finding

STEPS = 4
Histogram = dict[str, int]


@dataclass(slots=True)
class Tally:
    """ok, failed: answers and failures; faultless: the requests' own mistakes, in no rate.

    latency, first_byte: histograms. tokens: of answers that took token_ms.
    """

    ok: int = 0
    failed: int = 0
    faultless: int = 0
    latency: Histogram = field(default_factory=dict)
    first_byte: Histogram = field(default_factory=dict)
    tokens: int = 0
    token_ms: int = 0

    def count(self, finding: Finding) -> None:
        if finding.faultless:
            self.faultless += 1
        elif finding.outcome != OK:
            self.failed += 1
        else:
            self.ok += 1
            note(self.latency, finding.latency_ms)
            note(self.first_byte, finding.first_byte_ms)
            self.tokens += finding.tokens
            self.token_ms += finding.token_ms if finding.tokens else 0

    def add(self, other: "Tally") -> None:
        self.ok += other.ok
        self.failed += other.failed
        self.faultless += other.faultless
        merge(self.latency, other.latency)
        merge(self.first_byte, other.first_byte)
        self.tokens += other.tokens
        self.token_ms += other.token_ms


@dataclass(frozen=True, slots=True)
class Window:
    """What a span of time shows. Milliseconds; a rate from 0 to 1; None: nothing to tell from."""

    requests: int = 0
    success_rate: float | None = None
    p50_ms: int | None = None
    p95_ms: int | None = None
    first_token_ms: int | None = None
    tokens_per_second: float | None = None

    def told(self) -> dict[str, float | int | None]:
        return asdict(self)


def note(histogram: Histogram, value_ms: int | None) -> None:
    if value_ms is not None:
        step = step_name(value_ms)
        histogram[step] = histogram.get(step, 0) + 1


@lru_cache(8192)
def step_name(value_ms: int) -> str:
    return str(step_of(value_ms))


def step_of(value_ms: int) -> int:
    return math.ceil(math.log2(value_ms) * STEPS) if value_ms > 1 else 0


def middle_ms(step: int) -> int:
    """Return what stands for a step: its geometric middle."""
    return round(2 ** ((step - 0.5) / STEPS)) if step else 1


def merge(into: Histogram, other: Mapping[str, int]) -> None:
    for step, count in other.items():
        into[step] = into.get(step, 0) + count


def percentile(histogram: Mapping[str, int], share: float) -> int | None:
    """Return the value that `share` of what was counted does not pass."""
    wanted = share * sum(histogram.values())
    seen = 0
    for step in sorted(map(int, histogram)):
        seen += histogram[str(step)]
        if seen >= wanted:
            return middle_ms(step)
    return None


def window(tallies: Iterable[Tally]) -> Window:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    judged = total.ok + total.failed
    return Window(
        requests=judged + total.faultless,
        success_rate=round(total.ok / judged, 4) if judged else None,
        p50_ms=percentile(total.latency, 0.50),
        p95_ms=percentile(total.latency, 0.95),
        first_token_ms=percentile(total.first_byte, 0.50),
        tokens_per_second=round(total.tokens * 1000 / total.token_ms, 2)
        if total.token_ms
        else None,
    )


def differs(old: float | None, new: float | None, share: float = 0.2) -> bool:
    """Whether `new` is news to whoever knows `old`: known or not, or off by more than `share`."""
    if old is None or new is None:
        return old is not new
    return abs(new - old) > share * max(abs(old), 1e-9)

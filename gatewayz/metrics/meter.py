"""What is counted of requests: on their way, so integers and nothing else."""

from bisect import bisect_left
from typing import Any

from billing.books.records import Record
from gatewayz.metrics.board import Board, Loose

LIMITS_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000)
BUCKETS = (*(f"{limit / 1000:g}" for limit in LIMITS_MS), "+Inf")


class Meter:
    """Counts in the event loop's thread. Slots are found by keys that were met before."""

    def __init__(self, board: Board | Loose) -> None:
        self._board = board
        self._counts: Any = board.counts
        self._known: dict[tuple[str, ...], Any] = {}
        self._times: dict[tuple[str, str], tuple[Any, tuple[Any, ...]]] = {}

    def add(self, key: tuple[str, ...], count: int = 1) -> None:
        slot = self._known.get(key)
        if slot is None:
            slot = self._known[key] = self._board.slot(key)
        self._counts[slot] += count

    def time(self, name: str, label: str, took_ms: int) -> None:
        """Count a duration: its bucket, and the sum of all."""
        slots = self._times.get((name, label))
        if slots is None:
            total = self._board.slot((f"{name}_ms", label))
            buckets = tuple(self._board.slot((f"{name}_bucket", label, le)) for le in BUCKETS)
            slots = self._times[name, label] = total, buckets
        self._counts[slots[0]] += max(0, took_ms)
        self._counts[slots[1][bisect_left(LIMITS_MS, took_ms)]] += 1

    def ended(self, record: Record) -> None:
        """Count a request that ended, and each of its attempts."""
        self.add(("requests", record.endpoint, record.outcome))
        self.time("request", record.endpoint, record.duration_ms)
        for made in record.attempts:
            self.add(("attempts", made.provider, made.outcome))
            self.time("attempt", made.provider, made.duration_ms)
        if record.usage is not None and record.provider:
            self.add(("tokens", record.provider, "prompt"), record.usage.prompt)
            self.add(("tokens", record.provider, "completion"), record.usage.completion)

    def serves(self, revision: int) -> None:
        """Note from which revision this process serves."""
        self._counts[self._board.slot(("revision",))] = revision

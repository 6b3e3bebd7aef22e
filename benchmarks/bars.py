"""What is measured, in which unit, and the bars: what was promised, and what would be splendid.

A bar is an amount, or a part of what a peer needs in the same run.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.peers import gateway, litellm, portkey

Figures = dict[str, float]


@dataclass(frozen=True)
class Bar:
    """At most (or at least) `amount`; with `peer`, `amount` times that peer's figure."""

    amount: float
    peer: str = ""

    def limit(self, key: str, found: Mapping[str, Figures]) -> float | None:
        """Return the amount to compare with; None if the peer has none."""
        if not self.peer:
            return self.amount
        theirs = found.get(self.peer, {}).get(key)
        return None if theirs is None else theirs * self.amount


@dataclass(frozen=True)
class Measure:
    """more: whether more is better."""

    key: str
    title: str
    unit: str
    bars: tuple[Bar, ...] = ()
    moonshot: float | None = None
    more: bool = False

    def reached(self, amount: float, limit: float) -> bool:
        return amount >= limit if self.more else amount <= limit


def beside(part_of_litellm: float, part_of_portkey: float | None = None) -> tuple[Bar, ...]:
    bars = (Bar(part_of_litellm, litellm.NAME),)
    return bars if part_of_portkey is None else (*bars, Bar(part_of_portkey, portkey.NAME))


OWN = gateway.NAME
MEASURES = (
    Measure("request_us", "CPU per chat request", "us", beside(1 / 30, 1 / 3), 230),
    Measure("helpers_us", "CPU per chat request of its helper processes", "us", (Bar(60),)),
    Measure(
        "accounting_us", "of its own CPU, for route, limits, money and journal", "us", (Bar(60),)
    ),
    Measure("per_s", "requests/s on one core, 64 connections", "/s", (), 4000, more=True),
    Measure("chunk_us", "CPU per streamed chunk, 20 ms apart", "us", beside(1 / 20), 50),
    Measure("chunk_streams", "streams at which that was measured", ""),
    Measure("chunk_late_ms", "a chunk is late by, p99, upstream and client included", "ms"),
    Measure("one_p50_ms", "added latency, one connection, p50", "ms", (Bar(1),)),
    Measure("one_p99_ms", "added latency, one connection, p99", "ms", (Bar(3),), 0.94),
    Measure("one_p999_ms", "added latency, one connection, p99.9", "ms"),
    Measure("half_p50_ms", "added latency, half load, p50", "ms"),
    Measure("half_p99_ms", "added latency, half load, p99", "ms"),
    Measure("half_p999_ms", "added latency, half load, p99.9", "ms"),
    Measure("token_p50_ms", "added time to first token, half load, p50", "ms"),
    Measure("token_p99_ms", "added time to first token, half load, p99", "ms", (Bar(5),), 1.2),
    Measure("token_p999_ms", "added time to first token, half load, p99.9", "ms"),
    Measure("stream_kb", "memory per open stream", "KB"),
    Measure("stream_held", "streams at which that was measured", ""),
    Measure("idle_mb", "resident memory once started", "MB"),
    Measure("loaded_mb", "resident memory after all of this", "MB"),
    Measure("started_s", "start to the first answer", "s"),
    Measure("row_ms", "a saved row acts after, median", "ms"),
    Measure("row_most_ms", "a saved row acts after, most of ten", "ms", (Bar(1000),)),
    Measure(
        "list_per_s",
        "/v1/models, 13,850 models, revalidated, on one core",
        "/s",
        (Bar(3000),),
        10_000,
        more=True,
    ),
    Measure("list_us", "/v1/models, revalidated: CPU", "us"),
    Measure(
        "two_ratio",
        "two workers at the rate of one: CPU per request, one / two",
        "x",
        (Bar(0.95),),
        more=True,
    ),
    Measure(
        "many",
        "open streams in one worker, a chunk every 4 s in each",
        "",
        (Bar(5000),),
        10_000,
        more=True,
    ),
    Measure("many_prompt", "of their chunks, within 50 ms", "%", (Bar(100),), more=True),
    Measure("many_most_ms", "the latest of their chunks", "ms", (Bar(50),)),
    Measure("many_kb", "memory each", "KB", (Bar(60),), 30),
    Measure("make_run_s", "make run, installed, to the first answer", "s", (Bar(3),), 1.5),
    Measure("make_new_s", "the same from an empty data folder", "s"),
)

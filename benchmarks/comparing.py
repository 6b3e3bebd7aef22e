"""The gateway beside its peers, in one run: processor time, delays, memory.

    python -m benchmarks [compare] [--quick] [--record] [--only NAME …]

--quick is rougher, and only the gateway and nginx; --record writes RESULTS.md, results.svg and
history.csv. What cannot be installed or measured is said, and the rest goes on; the exit code is 1
if something of the gateway's own could not be measured.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from benchmarks import upstream
from benchmarks.bars import Figures
from benchmarks.measures import own, room_for_files
from benchmarks.measures.latency import MOST_PER_S, Delays, at_half_load, one_by_one
from benchmarks.measures.memory import kb_each
from benchmarks.measures.requests import WRK, cpu_per_request
from benchmarks.measures.streams import relay, until_idle
from benchmarks.peers import Aim, Bench, Missing, Peer, Target, gateway, litellm, nginx, portkey
from benchmarks.plot import svg
from benchmarks.processors import two
from benchmarks.results import PLOT, machine, record, table, told, write_section
from tests.world.processes import rss_bytes

SECONDS, QUICK_SECONDS = 8.0, 2.0
STREAMS_HELD, FEWEST_HELD, FILES = 1000, 50, 20_000
DIRECT = "nothing in between"
PEERS = (
    Peer(gateway.NAME, gateway.serving),
    Peer(litellm.NAME, litellm.serving),
    Peer(portkey.NAME, portkey.serving),
    Peer(nginx.NAME, nginx.serving),
)
QUICK = (gateway.NAME, nginx.NAME)
MB = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = [peer.name for peer in PEERS]
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--only", nargs="+", choices=names, default=None)


def run(given: argparse.Namespace) -> int:
    if upstream.NGINX is None or WRK is None:
        print("nginx answers and wrk asks; .ci/tools installs both", flush=True)
    if upstream.NGINX is None:
        print("MISSING nginx: nothing can be measured without the upstream that it is")
        return 1
    room_for_files(FILES)
    began, here = time.monotonic(), machine()
    seconds = QUICK_SECONDS if given.quick else SECONDS
    comparison = Comparison(seconds)
    names = given.only or (QUICK if given.quick else [peer.name for peer in PEERS])
    with bench() as place:
        comparison.measure(place, [peer for peer in PEERS if peer.name in names])
        if gateway.NAME in names and not given.quick:
            comparison.measure_own(place)
    page = comparison.page(here, time.monotonic() - began)
    print(page)
    if given.record:
        record(comparison.found)
        PLOT.write_text(svg(comparison.found))
        write_section("compare", page)
    return 1 if any(name.startswith(gateway.NAME) for name in comparison.missing) else 0


@contextmanager
def bench() -> Iterator[Bench]:
    """Run both upstreams, and this process, on the processor that is not measured."""
    cpu, others = two()
    if others is not None:
        os.sched_setaffinity(0, {others})
    with (
        upstream.fixed(cpu=others) as fixed,
        upstream.streaming(cpu=others) as streaming,
    ):
        yield Bench(fixed, streaming, cpu, others)


class Comparison:
    """Collects figures by target, and what is missing with the reason."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.found: dict[str, Figures] = {}
        self.missing: dict[str, str] = {}
        self.targets: list[Target] = []
        self.floor: tuple[Delays, Delays, Delays] | None = None

    def measure(self, place: Bench, peers: list[Peer]) -> None:
        with self.telling(DIRECT):
            self.floor = self.floors(place)
        for peer in peers:
            print(f"{peer.name} …", flush=True)
            with self.telling(peer.name), peer.serving(place) as target:
                self.targets.append(target)
                self.found[peer.name] = {}
                self.measure_one(target)

    @contextmanager
    def telling(self, name: str) -> Iterator[None]:
        """Note why something was not measured, and go on."""
        try:
            yield
        except (Missing, OSError, RuntimeError, AssertionError) as problem:
            self.missing[name] = " ".join(str(problem).split())[:500]
            print(f"MISSING {name}: {self.missing[name]}", flush=True)

    def floors(self, place: Bench) -> tuple[Delays, Delays, Delays]:
        """Return the delays of nothing in between: what is added is on top of these."""
        fixed, streaming = (
            Aim(f"{url}/chat/completions") for url in (place.fixed, place.streaming)
        )
        one = one_by_one(fixed, self.seconds / 2)
        half, token = at_half_load(fixed, streaming, MOST_PER_S / 4, self.seconds / 2)
        self.found[DIRECT] = {
            **quantiles("one", one),
            **quantiles("half", half),
            **quantiles("token", token),
        }
        return one, half, token

    def measure_one(self, target: Target) -> None:
        figures = self.found[target.name]
        figures["idle_mb"] = rss_bytes(target.pid) / MB
        if target.started_s is not None:
            figures["started_s"] = target.started_s
        for measure in (self.requests, self.delays, self.chunks, self.memory):
            with self.telling(f"{target.name}, {measure.__name__}"):
                figures |= measure(target)
            until_idle(target.pid)
        figures["loaded_mb"] = rss_bytes(target.pid) / MB

    def requests(self, target: Target) -> Figures:
        own_us, helpers_us, per_s = cpu_per_request(target, self.seconds)
        helpers = {"helpers_us": helpers_us} if target.helpers else {}
        return {"request_us": own_us, "per_s": per_s, **helpers}

    def chunks(self, target: Target) -> Figures:
        found = relay(target, self.seconds, self.found[target.name].get("request_us", 0))
        return {
            "chunk_us": found.cpu_us,
            "chunk_streams": found.streams,
            "chunk_late_ms": found.p99_ms,
        }

    def delays(self, target: Target) -> Figures:
        if self.floor is None:
            raise Missing(f"{DIRECT} could not be measured")
        one_floor, half_floor, token_floor = self.floor
        one = one_by_one(target.fixed, self.seconds / 2).over(one_floor)
        per_s = self.found[target.name]["per_s"] / 2
        half, token = at_half_load(target.fixed, target.streaming, per_s, self.seconds)
        return {
            **quantiles("one", one),
            **quantiles("half", half.over(half_floor)),
            **quantiles("token", token.over(token_floor)),
        }

    def memory(self, target: Target) -> Figures:
        """With 1,000 streams, or with as many as the target begins.

        What a failed trial left in the process counts: nobody gives that back.
        """
        streams, before = STREAMS_HELD, rss_bytes(target.pid)
        while True:
            try:
                return {"stream_kb": kb_each(target, streams, before), "stream_held": streams}
            except RuntimeError as problem:
                if streams <= FEWEST_HELD:
                    raise
                print(f"{target.name}: {problem}; trying fewer", flush=True)
                streams //= 2
                until_idle(target.pid)

    def measure_own(self, place: Bench) -> None:
        measures: Mapping[str, Callable[[Bench, float], Figures]] = own.ALL
        for name, measure in measures.items():
            print(f"{gateway.NAME}, {name} …", flush=True)
            with self.telling(f"{gateway.NAME}, {name}"):
                self.found.setdefault(gateway.NAME, {}).update(measure(place, self.seconds))

    def page(self, here: str, took_s: float) -> str:
        parts = [
            "## Beside its peers",
            f"{here}. One run of {took_s / 60:.0f} minutes; the server on one processor, load and "
            "upstream on the other. Read ratios, not amounts. [README.md](README.md) says what "
            "each figure is.",
            table(self.found),
            "![The same as a picture](results.svg)",
            told(self.targets, self.missing),
        ]
        return "\n\n".join(parts)


def quantiles(stem: str, delays: Delays) -> Figures:
    return {
        f"{stem}_p50_ms": delays.p50,
        f"{stem}_p99_ms": delays.p99,
        f"{stem}_p999_ms": delays.p999,
    }

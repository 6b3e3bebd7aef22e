"""Hours at half load, with all that wears a gateway: does its memory stay flat, does anything leak?

    python -m benchmarks soak [--minutes 60] [--record]

Whole answers at half of what one processor can, streams, clients that leave in the middle, requests
that fail over, a rule edited every two seconds, a sync every twenty. The first sixth warms up.
Exit code 1 if memory grew by more than 5 % after that, if files, connections or threads stayed, or
if answers were missing in more than one round of twenty: one alone may be a neighbour's.
"""

import argparse
import asyncio
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks import upstream
from benchmarks.bars import OWN, Figures
from benchmarks.comparing import bench
from benchmarks.measures import room_for_files
from benchmarks.measures import run as run_load
from benchmarks.measures.latency import MOST_PER_S, Arrivals, has_token
from benchmarks.measures.requests import BODY, cpu_per_request, whole
from benchmarks.measures.streams import Watcher, body_for
from benchmarks.peers import CHUNKS, SHORT, Aim, Bench, Target
from benchmarks.peers.gateway import declared, target
from benchmarks.results import machine, record, write_section
from tests.servers import free_port
from tests.upstreams.listings import Lists, Stock
from tests.world.gateway import Gateway
from tests.world.processes import open_files, rss_bytes

ROUND_S, SAMPLE_S, SETTLE_S = 20.0, 2.0, 15
EDIT_S, SYNC_S = 2.0, 20.0
STREAMS_PER_S, LEAVERS_PER_S, FAILOVERS_PER_S = 10, 5, 5
WARM_PART, WINDOW_PART = 1 / 6, 1 / 10
MOST_ROUNDS = 1 / 20
MOST_GROWTH, MOST_LEFT = 0.05, 20
POOLED = 8  # threads that the gateway starts when first needed, and keeps
FAILOVER = BODY.replace("acme/fixed", "acme/failover")
MB = 1024 * 1024
ALIAS = """
from catalog.models import ModelAlias
if not ModelAlias.objects.filter(alias="soak").delete()[0]:
    ModelAlias.objects.create(alias="soak", target="acme/fixed")
"""


@dataclass(frozen=True)
class Sample:
    at_s: float
    rss: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int, at_s: float) -> "Sample":
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return cls(at_s, rss_bytes(pid), len(open_files(pid)), threads)


@dataclass(frozen=True)
class Verdict:
    """before and after: the process at rest, without load. warm and end: medians in MB.

    late: rounds, of all, in which answers were missing.
    """

    warm_mb: float
    end_mb: float
    before: Sample
    after: Sample
    late: int = 0
    rounds: int = 1

    @property
    def growth(self) -> float:
        return self.end_mb / self.warm_mb - 1

    @property
    def left(self) -> int:
        return self.after.files - self.before.files

    @property
    def good(self) -> bool:
        threads = self.after.threads - self.before.threads
        answered = self.late <= self.rounds * MOST_ROUNDS
        return (
            answered and self.growth <= MOST_GROWTH and self.left <= MOST_LEFT and threads <= POOLED
        )


def judged(samples: list[Sample], before: Sample, after: Sample) -> Verdict:
    """Compare the window after the warm-up with the last one."""
    whole_s = samples[-1].at_s
    warm, end = whole_s * WARM_PART, whole_s * (1 - WINDOW_PART)
    first = [one.rss for one in samples if warm <= one.at_s <= warm + whole_s * WINDOW_PART]
    last = [one.rss for one in samples if one.at_s >= end]
    return Verdict(median(first) / MB, median(last) / MB, before, after)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--record", action="store_true")


def run(given: argparse.Namespace) -> int:
    if upstream.NGINX is None:
        print("MISSING nginx: the upstream of the soak; .ci/tools installs it")
        return 1
    room_for_files(8192)
    here = machine()
    stock = Stock("groq", 200)
    with (
        bench() as place,
        tempfile.TemporaryDirectory() as folder,
        Lists() as lists,
        declared(Path(folder), place) as gateway,
    ):
        prepare(gateway, place, lists.add("/models", stock))
        verdict = soak(gateway, target(gateway, place), given.minutes * 60, stock)
    told = (
        f"{given.minutes:g} minutes: {verdict.warm_mb:.1f} MB after the warm-up, "
        f"{verdict.end_mb:.1f} MB at the end, {verdict.growth:+.1%} (at most {MOST_GROWTH:+.0%}); "
        f"open files at rest {verdict.before.files} before, {verdict.after.files} after; "
        f"threads {verdict.before.threads} and {verdict.after.threads}; answers missing in "
        f"{verdict.late} of {verdict.rounds} rounds of {ROUND_S:g} s: "
        f"{'ok' if verdict.good else 'NOT OK'}"
    )
    print(f"{here}\n{told}")
    if given.record:
        figures: Figures = {
            "soak_minutes": given.minutes,
            "soak_growth_percent": verdict.growth * 100,
            "soak_end_mb": verdict.end_mb,
            "soak_files_left": verdict.left,
            "soak_rounds_late": verdict.late,
        }
        record({OWN: figures})
        write_section("soak", f"## Soak\n\n{here}.\n\n{told}")
    return 0 if verdict.good else 1


def prepare(gateway: Gateway, place: Bench, listing: str) -> None:
    """Add a model whose first provider refuses connections, and a provider to sync."""
    away = f"http://127.0.0.1:{free_port()}/v1"
    gateway.provider(away, ["acme/failover"], slug="away", priority=1)
    gateway.provider(place.fixed, ["acme/failover"], slug="second", priority=9)
    shape = {"parser": "groq", "url": listing, "auth": "none"}
    gateway.provider(place.fixed, slug="listed", listing=[shape], guards={})


def soak(gateway: Gateway, one: Target, seconds: float, stock: Stock) -> Verdict:
    _, _, per_s = cpu_per_request(one, 4)
    half = min(per_s / 2, MOST_PER_S)
    print(f"{half:.0f} requests/s, which is half of {per_s:.0f}", flush=True)
    run_load(mixture(one, half, 3))
    time.sleep(SETTLE_S)
    before = Sample.of(one.pid, 0)
    samples: list[Sample] = []
    late = rounds = 0
    with sampling(one.pid, samples), wearing(gateway, stock):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            rounds += 1
            late += not answered(one, half, max(1.0, min(ROUND_S, left)))
            latest = samples[-1]
            print(
                f"{latest.at_s:6.0f} s {latest.rss / MB:8.1f} MB {latest.files:5} files", flush=True
            )
    time.sleep(SETTLE_S)
    verdict = judged(samples, before, Sample.of(one.pid, seconds))
    return replace(verdict, late=late, rounds=rounds)


def answered(one: Target, per_s: float, seconds: float) -> bool:
    """Send all kinds of load; tell, and return False, if answers were missing."""
    try:
        run_load(mixture(one, per_s, seconds))
    except RuntimeError as problem:
        print(problem, flush=True)
        return False
    return True


async def mixture(one: Target, per_s: float, seconds: float) -> None:
    """Send all kinds of load at once."""
    fixed, streaming = one.fixed, one.streaming
    loads = (
        (Arrivals(fixed, fixed.request(BODY), whole), per_s),
        (Arrivals(fixed, fixed.request(FAILOVER), whole), FAILOVERS_PER_S),
        (Arrivals(streaming, streaming.request(body_for(SHORT)), has_token), STREAMS_PER_S),
    )
    running = [load.run(rate, seconds) for load, rate in loads]
    await asyncio.gather(leavers(streaming, seconds), *running)


async def leavers(aim: Aim, seconds: float) -> None:
    """Open streams, read some of each, and go away."""
    loop = asyncio.get_running_loop()
    request = aim.request(body_for(CHUNKS))
    chance = random.Random(2)
    until = loop.time() + seconds
    while loop.time() < until:
        transport, _ = await loop.create_connection(lambda: Watcher(request), *aim.place)
        loop.call_later(chance.uniform(0.001, 0.5), transport.abort)
        await asyncio.sleep(1 / LEAVERS_PER_S)


@contextmanager
def sampling(pid: int, samples: list[Sample]) -> Iterator[None]:
    began = time.monotonic()

    def sample() -> None:
        samples.append(Sample.of(pid, time.monotonic() - began))

    with repeating(sample, SAMPLE_S):
        yield


@contextmanager
def wearing(gateway: Gateway, stock: Stock) -> Iterator[None]:
    """Edit a rule every two seconds, and sync every twenty: it finds a model less and one more."""
    turns = iter(range(1_000_000))

    def wear() -> None:
        turn = next(turns)
        gateway.manage("shell", "-c", ALIAS, "-v", "0")
        if turn % (SYNC_S // EDIT_S) == 0:
            stock.rows.append(stock.row(len(stock.rows)))
            del stock.rows[0]
            gateway.manage("sync_catalog", "listed")

    with repeating(wear, EDIT_S):
        yield


@contextmanager
def repeating(work: Callable[[], None], every_s: float) -> Iterator[None]:
    """Do it at once, and again after each pause, in a thread; what it raises ends the soak."""
    stopped = threading.Event()
    raised: list[BaseException] = []

    def repeat() -> None:
        try:
            work()
            while not stopped.wait(every_s):
                work()
        except BaseException as problem:  # noqa: BLE001 told by the thread that waits
            raised.append(problem)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
    if raised:
        raise raised[0]

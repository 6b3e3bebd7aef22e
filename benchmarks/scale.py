"""The gateway with 100,000 offers, 1,000 providers with their rules, and 1,000,000 keys.

    python -m benchmarks scale [--small] [--record] [--keys-asked N]

Three questions. Does a request take more instructions than in an empty gateway (at most 10 %)? Does
a request wait while a snapshot is swapped (at most 10 ms more at p99.9)? What does a worker hold?
PostgreSQL comes from pip. --small is a hundredth of it, for a look at whether this runs.
Exit code 1 if a bar was missed or something could not be measured.
"""

import argparse
import contextlib
import http.client
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks import callgrind, guard, upstream
from benchmarks.bars import OWN, Figures
from benchmarks.comparing import MB, bench
from benchmarks.crowd import Crowd, fill_catalogue, fill_keys, token
from benchmarks.measures import run as run_load
from benchmarks.measures.latency import Arrivals, Delays
from benchmarks.measures.requests import BODY, whole
from benchmarks.peers import Bench, Target
from benchmarks.peers.gateway import bearer, config, target
from benchmarks.results import machine, record
from tests.servers import new_database, postgres
from tests.world.gateway import Gateway
from tests.world.processes import rss_bytes

SMALL = Crowd(providers=10, models=500, offers=1_000, keys=10_000)
MOST_MORE, MOST_WAIT_MS = 0.10, 10.0
PER_S, SECONDS, EDIT_S = 100, 30.0, 0.5
MOST_KEYS = 100_000  # billing/keytable.py keeps as many
EDITS = {
    "an offer's price": (
        "from catalog.models import Offer\n"
        "o = Offer.objects.filter(provider__slug='crowd-{n}').first()\n"
        "o.input_price = '0.{t}'; o.save()"
    ),
    "an alias": (
        "from catalog.models import ModelAlias\n"
        "ModelAlias.objects.create(alias='edit-{t}', target='acme/fixed')"
    ),
    "a provider": (
        "from providers.models import Provider\n"
        "p = Provider.objects.get(slug='crowd-{n}'); p.name = 'Edited {t}'; p.save()"
    ),
    "a model": (
        "from catalog.models import Model\n"
        "m = Model.objects.filter(model_id__contains='/Crowd-').first()\n"
        "m.name = 'Edited {t}'; m.save()"
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--keys-asked", type=int, default=5_000)


def run(given: argparse.Namespace) -> int:
    print(machine(), flush=True)
    crowd = SMALL if given.small else Crowd()
    figures: Figures = {}
    missed: list[str] = []
    with postgres() as server:
        if absent := callgrind.missing():
            missed.append(f"instructions were not counted: {absent} is not installed")
        else:
            missed += instructions(new_database(server), crowd, figures)
        if upstream.NGINX is None:
            missed.append("nothing was served: nginx is not installed")
        else:
            with bench() as place, tempfile.TemporaryDirectory() as folder:
                gateway = Gateway(Path(folder), database_url=new_database(server))
                missed += serving(gateway, place, crowd, figures, given.keys_asked)
    for name, amount in figures.items():
        print(f"{name:44} {amount:12,.2f}")
    print("\n".join(f"MISSED: {problem}" for problem in missed) or "ok")
    if given.record:
        record({OWN: {f"scale {name}": amount for name, amount in figures.items()}})
    return 1 if missed else 0


def instructions(database_url: str, crowd: Crowd, figures: Figures) -> list[str]:
    """Count the guard's scenario in an empty gateway and in the crowd; return what grew."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        empty = guard.measure(Path(one))
        full = guard.measure(
            Path(other), database_url, lambda gateway: fill_catalogue(gateway, crowd)
        )
    for name, count in full.items():
        figures[f"{name}: instructions, of the empty"] = count / empty[name]
    return [
        f"{name}: {full[name] / empty[name] - 1:+.1%} instructions"
        for name in full
        if full[name] > empty[name] * (1 + MOST_MORE)
    ]


def serving(
    gateway: Gateway, place: Bench, crowd: Crowd, figures: Figures, asked: int
) -> list[str]:
    gateway.migrate()
    gateway.apply(config(gateway, place), settle=False)
    gateway.key = gateway.issue_key("benchmark", "1000000", "--plan", "benchmark")
    began = time.monotonic()
    figures["offers"] = fill_catalogue(gateway, crowd)
    figures["keys"] = fill_keys(gateway, crowd)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    gateway.start(300)
    try:
        one = target(gateway, place)
        figures["started_s"] = one.started_s or 0
        figures["worker, MB"] = rss_bytes(one.pid) / MB
        missed = swaps(gateway, one, figures)
        keys(one, crowd, asked, figures)
        return missed
    finally:
        gateway.stop()


def swaps(gateway: Gateway, one: Target, figures: Figures) -> list[str]:
    """Measure delays with and without edits; return which edits held requests for too long."""
    calm = delays(one)
    figures["no edits: p50, ms"], figures["no edits: p99.9, ms"] = calm.p50, calm.p999
    missed = []
    for name, code in EDITS.items():
        before = gateway.revision() or 0
        with editing(gateway, code):
            wait = delays(one)
        gateway.settle(60)
        figures[f"{name}: p99.9, ms"] = wait.p999
        figures[f"{name}: snapshots"] = (gateway.revision() or 0) - before
        if wait.p999 - calm.p999 > MOST_WAIT_MS:
            missed.append(f"{name}: p99.9 is {wait.p999:.1f} ms, without edits {calm.p999:.1f} ms")
    figures["worker after edits, MB"] = rss_bytes(one.pid) / MB
    return missed


def delays(one: Target) -> Delays:
    arrivals = Arrivals(one.fixed, one.fixed.request(BODY), whole)
    run_load(arrivals.run(PER_S, SECONDS))
    return Delays.of(arrivals.delays)


@contextlib.contextmanager
def editing(gateway: Gateway, code: str) -> Iterator[None]:
    """Save a row every half second, in another process."""
    stopped = threading.Event()

    def edit() -> None:
        turn = 0
        while not stopped.wait(EDIT_S):
            turn += 1
            words = code.format(n=turn % 10, t=100 + turn)
            gateway.manage("shell", "-v", "0", "-c", words)

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def keys(one: Target, crowd: Crowd, asked: int, figures: Figures) -> None:
    """Ask with keys that the worker has not seen, and again with the same."""
    before = rss_bytes(one.pid)
    numbers = range(min(asked, crowd.keys))
    first, second = (answered_ms(one, numbers) for _ in range(2))
    each = (rss_bytes(one.pid) - before) / len(numbers)
    figures["a key not seen before: median, ms"] = median(first)
    figures["a key seen before: median, ms"] = median(second)
    figures["memory of a seen key, KB"] = each / 1024
    figures["worker with all keys that it keeps, MB"] = (before + each * MOST_KEYS) / MB


def answered_ms(one: Target, numbers: Sequence[int]) -> list[float]:
    """Ask once with each key, one after the other; return how long each took."""
    found = []
    connection = http.client.HTTPConnection(*one.fixed.place, timeout=30)
    for number in numbers:
        headers = {**bearer(token(number)), "content-type": "application/json"}
        began = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", BODY, headers)
        answer = connection.getresponse()
        answer.read()
        found.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"key {number} was answered with {answer.status}")
    connection.close()
    return found

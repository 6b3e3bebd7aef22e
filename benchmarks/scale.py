"""The gateway with 100,000 offers, 1,000 providers with their rules, and 1,000,000 keys.

    python -m benchmarks scale [--small] [--record] [--keys-asked N]

Three questions. Does a request take more instructions than in an empty gateway (at most 10 %)? Does
a request wait while a snapshot is swapped (at most 10 ms at p99.9, a row saved every half second)?
What does a worker hold?
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
from benchmarks.measures.requests import BODY
from benchmarks.peers import Bench, Target
from benchmarks.peers.gateway import bearer, config, target
from benchmarks.results import machine, record, write_section
from benchmarks.stall import Watched
from tests.servers import new_database, postgres
from tests.world.gateway import Gateway
from tests.world.processes import rss_bytes

SMALL = Crowd(providers=10, models=500, offers=1_000, keys=10_000)
MOST_MORE, MOST_WAIT_MS = 0.10, 10.0
SECONDS, EDIT_S = 30.0, 0.5
MOST_KEYS = 100_000  # billing/access/keytable.py keeps as many
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
    here = machine()
    print(here, flush=True)
    crowd = SMALL if given.small else Crowd()
    figures: Figures = {}
    missed: list[str] = []
    with postgres() as server:
        if absent := callgrind.missing():
            missed.append(f"instructions were not counted: {absent} is not installed")
        else:
            missed += instructions(new_database(server), crowd, figures)
            print(figures, flush=True)
        if upstream.NGINX is None:
            missed.append("nothing was served: nginx is not installed")
        else:
            with bench() as place, tempfile.TemporaryDirectory() as folder:
                gateway = Gateway(Path(folder), database_url=new_database(server))
                missed += serving(gateway, place, crowd, figures, given.keys_asked)
    lines = [f"| {name} | {amount:,.2f} |" for name, amount in figures.items()]
    table = "\n".join(["| | |", "|---|---|", *lines])
    verdict = "\n".join(f"- MISSED {problem}" for problem in missed) or "Every bar was reached."
    print(f"{table}\n\n{verdict}")
    if given.record:
        record({OWN: {f"scale {name}": amount for name, amount in figures.items()}})
        write_section("scale", f"## At scale\n\n{here}.\n\n{table}\n\n{verdict}")
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
        keys(one, crowd, asked, figures)
        print(figures, flush=True)
    finally:
        gateway.stop()
    return swaps(gateway, figures)


def swaps(gateway: Gateway, figures: Figures) -> list[str]:
    """Measure how long edits hold up an event loop; return those that do for too long."""
    missed = []
    with Watched(gateway.env, gateway.folder / "watched.log") as watched:
        time.sleep(SECONDS / 2)
        figures["no edits: held up at p99.9, ms"] = watched.stalls().p999_ms
        for name, code in EDITS.items():
            before = watched.revision()
            with editing(gateway, code):
                time.sleep(SECONDS)
            found = watched.stalls()
            figures[f"{name}: held up at p99.9, ms"] = found.p999_ms
            figures[f"{name}: held up at most, ms"] = found.most_ms
            figures[f"{name}: snapshots"] = taken = watched.revision() - before
            if found.p999_ms > MOST_WAIT_MS or not taken:
                missed.append(f"{name}: held up for {found.p999_ms:.1f} ms, {taken} snapshots")
        figures["a data plane after edits, MB"] = rss_bytes(watched.child.pid) / MB
    return missed


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

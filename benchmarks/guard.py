"""Instructions per request, compared with the recorded ones: equal on every machine, unlike time.

    python -m benchmarks guard [--record] [--keep FOLDER]

A web process of the gateway, everything on, serves under valgrind's callgrind, between a client and
an upstream that go in step. Exit code 0: no figure rose by more than 10 %; 1: one did; 3: nothing
was counted, and it says why. --record writes instructions.json; --keep leaves callgrind's files,
one per lap, for callgrind_annotate.
"""

import argparse
import contextlib
import json
import platform
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import httpx

from benchmarks.callgrind import Counted, missing, version
from benchmarks.lockstep import Client, Pair, Upstream, chat
from tests.world.gateway import ROOT, Gateway

RECORDED = Path(__file__).with_name("instructions.json")
MOST_RISE = 0.10
LAPS, WARM_LAPS, TIMES = 7, 2, 10
NOT_RUN = 3
START_S = 1800
STEADY = {"PYTHONHASHSEED": "0", "GATEWAYZ_POLL_INTERVAL_S": "3600"}

Figures = dict[str, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--record", action="store_true", help="these figures are the new ones")
    parser.add_argument("--keep", type=Path, help="where callgrind's files stay")


def run(given: argparse.Namespace) -> int:
    if absent := missing():
        return not_run(f"{absent}: not installed (Debian: apt-get install valgrind)")
    recorded = known().get(version_key())
    if recorded is None and not given.record:
        return not_run(f"nothing is recorded for CPython {version_key()}; --record does it")
    with contextlib.ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(folder)
    before: Figures = recorded["instructions"] if recorded else {}
    print(table(figures, before))
    if given.record:
        record(figures)
        return 0
    grown = rises(figures, before)
    for name in grown:
        print(f"{name}: {figures[name] / before[name] - 1:+.1%}, more than {MOST_RISE:+.0%}")
    print(
        "NOT OK: find out why, or record the new figures and say why in the commit"
        if grown
        else "ok"
    )
    return 1 if grown else 0


def not_run(reason: str) -> int:
    frame = "*" * 78
    print(f"{frame}\nTHE GUARD AGAINST REGRESSIONS DID NOT RUN: {reason}\n{frame}", file=sys.stderr)
    return NOT_RUN


def measure(
    folder: Path, database_url: str = "", fill: Callable[[Gateway], object] = lambda _: None
) -> Figures:
    """Serve, go through the scenario, and return the instructions of each of its parts.

    fill: adds rows before the gateway starts.
    """
    upstream = Upstream()
    gateway = Gateway(folder, database_url=database_url, env=STEADY)
    gateway.migrate()
    gateway.apply(gateway.declared.provider("lockstep", upstream.url, ["acme/chat"]), settle=False)
    key = gateway.issue_key()
    fill(gateway)
    gateway.steward.stop()
    with (
        contextlib.closing(upstream),
        served(gateway) as (process, address),
        Pair(upstream, Client(address, key)) as pair,
    ):
        return scenario(process, pair)


@contextlib.contextmanager
def served(gateway: Gateway) -> Iterator[tuple[Counted, tuple[str, int]]]:
    """Run one web process, and nothing else of the gateway, under callgrind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        place = ["--descriptor", str(listener.fileno())]
        command = [sys.executable, "manage.py", "run_web", *place]
        with Counted(command, gateway.folder, gateway.env, ROOT, [listener.fileno()]) as process:
            ready = httpx.get(
                f"http://127.0.0.1:{address[1]}/readyz", trust_env=False, timeout=START_S
            )
            if ready.status_code != 200:
                raise RuntimeError(f"not ready: {ready.text}\n{process.told()}")
            yield process, address


def scenario(process: Counted, pair: Pair) -> Figures:
    plain, large, streamed = chat(), chat(words=40_000), chat(stream=True)
    tag = etag(pair.got("/v1/models", {}, 200))
    wrong = pair.client.key[:-1] + ("1" if pair.client.key.endswith("0") else "0")

    def stream() -> None:
        pair.opened(streamed)
        pair.ended()

    process.begin()
    return {
        "request": each(process, lambda: pair.request(plain)),
        "request of 200 KB": each(process, lambda: pair.request(large)),
        "stream, opened and ended": each(process, stream),
        "chunk of a stream": chunks(process, pair, streamed),
        "refused key": each(process, lambda: pair.refused(wrong, plain)),
        "list of models, 304": each(
            process, lambda: pair.got("/v1/models", {"if-none-match": tag}, 304)
        ),
    }


def each(process: Counted, exchange: Callable[[], None]) -> int:
    """Return the instructions of one exchange: the median of laps, so that a rare thing is none."""
    laps = []
    for _ in range(WARM_LAPS + LAPS):
        for _ in range(TIMES):
            exchange()
        laps.append(process.lap())
    return round(median(laps[WARM_LAPS:]) / TIMES)


def chunks(process: Counted, pair: Pair, body: bytes) -> int:
    """Return the instructions of one more chunk in a stream that is open."""
    pair.opened(body)
    numbers = iter(range(1, 1_000_000))
    found = each(process, lambda: pair.chunk(next(numbers)))
    pair.ended()
    process.lap()
    return found


def etag(answer: bytes) -> str:
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    [value] = [line[5:].strip() for line in head.splitlines() if line.lower().startswith("etag:")]
    return value


def version_key() -> str:
    """Return what figures are recorded under: they differ between builds of Python."""
    return f"{'.'.join(platform.python_version_tuple()[:2])} {platform.machine()}"


def known() -> dict[str, dict]:
    return json.loads(RECORDED.read_text()) if RECORDED.exists() else {}


def record(figures: Figures) -> None:
    compiler = f"{platform.python_version()}, {platform.python_compiler()}"
    entry = {"python": compiler, "valgrind": version(), "instructions": figures}
    RECORDED.write_text(json.dumps(known() | {version_key(): entry}, indent=2) + "\n")


def rises(now: Figures, before: Figures) -> list[str]:
    """Return what rose by more than it may."""
    return [
        name
        for name, count in now.items()
        if name in before and count > before[name] * (1 + MOST_RISE)
    ]


def table(now: Figures, before: Figures) -> str:
    lines = ["| instructions | recorded | now | |", "|---|---|---|---|"]
    for name, count in now.items():
        if name in before:
            was, change = f"{before[name]:,}", f"{count / before[name] - 1:+.1%}"
        else:
            was, change = "", "new"
        lines.append(f"| {name} | {was} | {count:,} | {change} |")
    return "\n".join(lines)

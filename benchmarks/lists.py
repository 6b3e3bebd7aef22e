"""CPU that `GET /v1/models` costs the process that serves 13,850 models.

python -m benchmarks lists
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.processors import bind, cpu_s, two
from tests.world.gateway import Gateway
from tests.world.stock import fill

MODELS = 13_850
SECONDS = 3.0
PLAIN = {"Accept-Encoding": "identity"}
ASKED: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("a list that is known (304)", "/v1/models", {}, "1 ms"),
    ("the whole list", "/v1/models", PLAIN, "5 ms"),
    ("the whole list, gzipped", "/v1/models", {"Accept-Encoding": "gzip"}, "5 ms"),
    ("100 of them", "/v1/models?limit=100&offset=5000", PLAIN, ""),
    ("a search", "/v1/models?q=stok+1234&limit=20", PLAIN, "20 ms"),
    ("a name that nobody has", "/v1/models/org-5/Stok-123-70B", PLAIN, ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(given: argparse.Namespace) -> int:
    cpu, others = two()
    bind(os.getpid(), others)
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Gateway(Path(folder)) as served,
    ):
        fill(served, MODELS)
        [pid] = served.worker_pids()
        bind(pid, cpu)
        tag = httpx.get(f"{served.url}/v1/models", trust_env=False, timeout=60).headers["etag"]
        print("| | CPU per request | the bar |\n|---|---|---|")
        for name, path, headers, bar in ASKED:
            known = {} if headers else {"If-None-Match": tag}
            cost = cpu_ms(served.url + path, headers | known, pid)
            print(f"| {name} | {cost:.2f} ms | {bar} |")
    return 0


def cpu_ms(url: str, headers: dict[str, str], pid: int) -> float:
    """Ask for SECONDS, one request after the other; return milliseconds of CPU per request."""
    count = 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        before, until = cpu_s(pid), time.monotonic() + SECONDS
        while time.monotonic() < until:
            with client.stream("GET", url, headers=headers) as answer:
                for _ in answer.iter_raw():
                    pass
            count += 1
    return (cpu_s(pid) - before) / count * 1e3

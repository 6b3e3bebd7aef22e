"""CPU that the gateway spends per request and per streamed chunk, beside nginx as the floor.

    python -m benchmarks compare [--quick] [--record]

--quick takes less than 20 seconds and is rougher; --record appends a line to history.csv.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import replace

from benchmarks import targets, upstream
from benchmarks.processors import two
from benchmarks.requests import WRK, cpu_per_request
from benchmarks.results import Result, record, table
from benchmarks.streams import GAP_MS, chunks_for, relay
from benchmarks.targets import Target

SECONDS, QUICK_SECONDS = 6.0, 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")


def run(given: argparse.Namespace) -> int:
    if upstream.NGINX is None:
        print("nginx is not installed: only streams are measured, and no floor")
    if WRK is None:
        print("wrk is not installed: a slower client takes its place")
    try:
        results = measure(QUICK_SECONDS if given.quick else SECONDS, given.quick)
    except (OSError, RuntimeError) as problem:
        print(f"not measured: {problem}", file=sys.stderr)
        return 1
    print(table(results))
    if given.record:
        record(results)
    return 0


def measure(seconds: float, quick: bool) -> dict[str, Result]:
    """Measure the gateway and what there is to compare it with."""
    cpu, others = two()
    with ExitStack() as running:
        fixed = running.enter_context(upstream.fixed(cpu=others)) if upstream.NGINX else ""
        shape = {"chunks": chunks_for(seconds), "gap_ms": GAP_MS, "cpu": others}
        streaming = running.enter_context(upstream.streaming(**shape))
        with targets.gateway(fixed or streaming, streaming, cpu, others) as gateway:
            results = {"gateway": result(gateway, seconds)}
        if upstream.NGINX:
            with targets.nginx(fixed, streaming, cpu) as nginx:
                results["nginx as a reverse proxy"] = result(nginx, seconds, streams=not quick)
        if not quick:
            direct = Target("upstream", fixed, f"{streaming}/chat/completions", "", os.getpid())
            late = replace(relay(direct, seconds), cpu_us=None)
            results["nothing in between"] = Result(relayed=late)
    return results


def result(target: Target, seconds: float, streams: bool = True) -> Result:
    request_us = per_s = None
    if upstream.NGINX:
        request_us, per_s = cpu_per_request(target, seconds)
    return Result(request_us, per_s, relay(target, seconds) if streams else None)

"""What only the gateway is measured in: saved rows, lists, two workers, thousands of streams."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx

from benchmarks.bars import Figures
from benchmarks.measures import room_for_files, run
from benchmarks.measures.latency import Arrivals
from benchmarks.measures.memory import FILES_PER_STREAM, SPARE_FILES, hold
from benchmarks.measures.requests import BODY, load, whole
from benchmarks.peers import Aim, Bench
from benchmarks.peers.gateway import ask, bearer, declared, target
from benchmarks.processors import bind, cpu_s
from benchmarks.upstream import free_port
from tests.world.gateway import ROOT, Gateway
from tests.world.stock import fill

MODELS, SAVES = 13_850, 10
SAVE = """
import time
from catalog.models import ModelAlias
ModelAlias.objects.create(alias={alias!r}, target="acme/fixed")
print(time.monotonic())
"""
LOW_PER_S = 500


def saved_rows(bench: Bench, seconds: float) -> Figures:
    """From the commit of a row, by another process, to the first request that it changes."""
    with tempfile.TemporaryDirectory() as folder, declared(Path(folder), bench) as gateway:
        target(gateway, bench)
        took = [acts_after_ms(gateway, f"alias-{number}") for number in range(SAVES)]
    return {"row_ms": median(took), "row_most_ms": max(took)}


def acts_after_ms(gateway: Gateway, alias: str) -> float:
    saved_at = float(gateway.manage("shell", "-c", SAVE.format(alias=alias), "-v", "0"))
    while ask(gateway, alias).status_code != 200:
        if time.monotonic() > saved_at + 30:
            raise RuntimeError("a saved row does not act")
    return (time.monotonic() - saved_at) * 1000


def accounting(bench: Bench, seconds: float) -> Figures:
    """What money and limits cost a request, in a process like those that serve."""
    with tempfile.TemporaryDirectory() as folder, declared(Path(folder), bench) as gateway:
        command = [sys.executable, "-m", "benchmarks.accounting", gateway.key]
        with subprocess.Popen(command, cwd=ROOT, env=gateway.env, stdout=subprocess.PIPE) as child:
            bind(child.pid, bench.cpu)
            told = child.communicate(timeout=60)[0]
        if child.returncode:
            raise RuntimeError(f"{command[:-1]} ended with {child.returncode}")
    return {"accounting_us": float(told)}


def lists(bench: Bench, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as folder, declared(Path(folder), bench) as gateway:
        fill(gateway, MODELS)
        one = target(gateway, bench)
        url = f"{gateway.url}/v1/models"
        tag = httpx.get(url, trust_env=False, timeout=60).headers["etag"]
        aim = Aim(url, {"if-none-match": tag})
        if httpx.get(url, headers=dict(aim.headers), trust_env=False).status_code != 304:
            raise RuntimeError("the list is not revalidated")
        load(aim, 1, "", "GET")
        before, began = cpu_s(one.pid), time.monotonic()
        count = load(aim, seconds, "", "GET")
        took = time.monotonic() - began
        return {
            "list_us": (cpu_s(one.pid) - before) / count * 1e6,
            "list_per_s": count / took,
        }


def two_workers(bench: Bench, seconds: float) -> Figures:
    """CPU per request at one steady rate, of one worker and of two on a processor each.

    With the load on the same two processors, requests/s of two workers would only tell who was
    starved; that two share nothing that costs is what can be seen.
    """
    each = [steady(bench, seconds, workers) for workers in (1, 2)]
    return {"two_ratio": each[0] / each[1]}


def steady(bench: Bench, seconds: float, workers: int) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        declared(Path(folder), bench, workers) as gateway,
    ):
        pids = gateway.worker_pids()
        for pid, cpu in zip(pids, (bench.cpu, bench.others), strict=False):
            bind(pid, cpu)
        aim = Aim(f"{gateway.url}/v1/chat/completions", bearer(gateway.key))
        run(Arrivals(aim, aim.request(BODY), whole).run(LOW_PER_S, seconds / 2))
        arrivals = Arrivals(aim, aim.request(BODY), whole)
        before = sum(cpu_s(pid) for pid in pids)
        run(arrivals.run(LOW_PER_S, seconds))
        return (sum(cpu_s(pid) for pid in pids) - before) / len(arrivals.delays) * 1e6


def many_streams(bench: Bench, seconds: float, streams: int = 5000) -> Figures:
    needed = streams * FILES_PER_STREAM + SPARE_FILES
    if not room_for_files(needed):
        raise RuntimeError(f"{needed} open files are needed (ulimit -n)")
    with tempfile.TemporaryDirectory() as folder, declared(Path(folder), bench) as gateway:
        held = hold(target(gateway, bench), streams, seconds)
    return {
        "many": held.streams,
        "many_prompt": held.prompt_share * 100,
        "many_most_ms": held.most_ms,
        "many_kb": held.kb_each,
    }


def make_run(bench: Bench, seconds: float) -> Figures:
    """`make run` until a list is answered: with data of an earlier run, and without."""
    with tempfile.TemporaryDirectory() as folder:
        return {"make_new_s": answered_s(folder), "make_run_s": answered_s(folder)}


def answered_s(folder: str) -> float:
    port = free_port()
    env = os.environ | {"GATEWAYZ_DATA_DIR": folder}
    began = time.monotonic()
    command = ["make", "run", f"PORT={port}"]
    child = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False).is_success:
                    return time.monotonic() - began
            except httpx.TransportError:
                time.sleep(0.01)
            if child.poll() is not None or time.monotonic() > began + 120:
                raise RuntimeError("make run does not answer")
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(30)


ALL: dict[str, Callable[[Bench, float], Figures]] = {
    "accounting": accounting,
    "saved rows": saved_rows,
    "lists": lists,
    "two workers": two_workers,
    "5,000 streams": many_streams,
    "make run": make_run,
}

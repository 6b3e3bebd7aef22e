"""The gateway, served as operators serve it, everything on: keys, journal, bookkeeper, Celery."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks.peers import MODELS, Aim, Bench, Target
from benchmarks.processors import bind
from tests.world.gateway import Gateway
from tests.world.processes import descendants

LONG = {"connect": 5, "first_byte": 600, "idle": 600, "total": 7200}
MANY = 2 * 10**9
# Limits are on, and are counted, but nobody runs into them.
PLAN = {"requests_per_minute": MANY, "tokens_per_minute": MANY, "concurrency": 10**6}
NAME = "Gatewayz"


@contextlib.contextmanager
def serving(bench: Bench, workers: int = 1) -> Iterator[Target]:
    """Serve it on the processor for what is measured; its helpers stay on the other."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        declared(Path(folder), bench, workers) as gateway,
    ):
        yield target(gateway, bench)


@contextlib.contextmanager
def declared(
    folder: Path, bench: Bench, workers: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[Gateway]:
    """Serve a gateway in `folder` that knows both upstreams."""
    with Gateway(folder, workers, env=env) as served:
        served.apply(config(served, bench))
        served.key = served.issue_key("benchmark", "100000000", "--plan", "benchmark")
        yield served


def config(served: Gateway, bench: Bench) -> dict[str, Any]:
    plain = served.declared.provider("fixed", bench.fixed, MODELS["fixed"], timeouts=LONG)
    stream = served.declared.provider("stream", bench.streaming, MODELS["streaming"], timeouts=LONG)
    parts = {part: plain[part] | stream[part] for part in ("providers", "models")}
    return {"version": 1, **parts, "plans": {"benchmark": PLAN}}


def target(gateway: Gateway, bench: Bench) -> Target:
    """Start it anew, bind it to its processor, and return how to reach it."""
    took_s = started_s(gateway)
    pids = gateway.worker_pids()
    for pid in pids:
        bind(pid, bench.cpu)
    assert gateway.process is not None
    helpers = set(descendants(gateway.process.pid)) - set(pids)
    return Target(
        NAME,
        *(Aim(f"{gateway.url}/v1/chat/completions", bearer(gateway.key)),) * 2,
        pid=pids[0],
        version="this commit",
        command="manage.py serve",
        started_s=took_s,
        helpers=tuple(sorted(helpers)),
    )


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def started_s(gateway: Gateway) -> float:
    """Stop, serve again, and return the seconds until a chat request is answered."""
    gateway.stop()
    began = time.monotonic()
    gateway.start()
    ask(gateway)
    return time.monotonic() - began


def ask(gateway: Gateway, model: str = "acme/fixed", **rest: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}
    return gateway.http.post("/v1/chat/completions", json=body | rest, headers=bearer(gateway.key))

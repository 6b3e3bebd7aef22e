"""Peers as child processes: installed in a folder of their own, and asked until they answer."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

from benchmarks.peers import Aim, Missing
from benchmarks.processors import bind
from tests.world.processes import Process

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("GATEWAYZ_BENCH_DIR", ROOT / ".data" / "bench"))
INSTALL_S, START_S = 900, 120
CHAT = {"model": "acme/fixed", "messages": [{"role": "user", "content": "hi"}]}


def installed(name: str, steps: Sequence[Sequence[str]], before: Callable[[Path], None]) -> Path:
    """Return the peer's folder, after its steps have run in it once; raises Missing."""
    folder = FOLDER / name
    if (folder / "installed").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    before(folder)
    print(f"installing {name} into {folder}: minutes, once", flush=True)
    for step in steps:
        try:
            done = subprocess.run(
                step, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise Missing(f"{' '.join(step)}: {problem}") from problem
        if done.returncode:
            told = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
            raise Missing(f"{' '.join(step)}: {told[-1]}")
    (folder / "installed").touch()
    return folder


@contextlib.contextmanager
def started(
    command: Sequence[str], aim: Aim, cpu: int | None, env: Mapping[str, str] | None = None
) -> Iterator[tuple[int, float]]:
    """Run a peer; yield its process id, and the seconds until it answered a chat request."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        log = Path(folder, "log")
        began = time.monotonic()
        process = Process(command, log, os.environ | dict(env or {}), Path(folder))
        try:
            bind(process.pid, cpu)
            until_answered(process, aim)
            took = time.monotonic() - began
            bind(process.pid, cpu)  # its threads of now, too
            yield process.pid, took
        finally:
            process.stop()


def until_answered(process: Process, aim: Aim) -> None:
    last = "nothing"
    until = time.monotonic() + START_S
    while time.monotonic() < until and not process.ended:
        try:
            answer = httpx.post(aim.url, json=CHAT, headers=dict(aim.headers), trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200:
            return
        last = f"{answer.status_code} {answer.text[:300]}"
        time.sleep(0.2)
    raise Missing(f"it does not answer, last {last}; its log ends: {process.log[-500:]!r}")

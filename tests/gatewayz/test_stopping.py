"""Processes end when they are told to, what died is mended, and nobody is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.gatewayz.test_crash import COMMANDS, running, wait_until
from tests.upstreams.chat import Chat
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import ROOT, Gateway
from tests.world.processes import descendants

STOP_S = 25  # at most, on a busy machine; it takes three


@pytest.fixture
def family(gateways: Callable[..., Gateway]) -> tuple[Gateway, list[int]]:
    """A gateway of two web processes, and all its processes but the first."""
    gateway = gateways(workers=2)
    assert gateway.process is not None
    wait_until(lambda: all(running(gateway, command) for command in COMMANDS))
    return gateway, descendants(gateway.process.pid)


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state != "Z" else []
    return found


def test_sigterm_ends_all_processes_once_what_is_under_way_is_answered(
    family: tuple[Gateway, list[int]],
) -> None:
    """The bookkeeper ends last: what was answered is in the database when all have ended."""
    gateway, pids = family
    assert len(pids) == 4
    assert gateway.process is not None
    model = unique("chat")
    with Upstream() as up:
        up.reply(Chat("one two three four five six", delay_s=0.3))
        gateway.provider(up, [model])
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True}
        with gateway.http.stream("POST", "/v1/chat/completions", json=body) as answer:
            pieces = answer.iter_raw()
            text = next(pieces)
            gateway.process.child.terminate()
            time.sleep(0.5)
            with pytest.raises(httpx.TransportError):
                httpx.get(gateway.url + "/livez", trust_env=False, timeout=0.5)
            text += b"".join(pieces)
    assert text.endswith(b"[DONE]\n\n")
    assert gateway.process.child.wait(STOP_S) == 0
    assert alive(pids) == []
    assert "Traceback" not in gateway.log
    (row,) = gateway.rows("SELECT outcome, completion_tokens FROM billing_usagerow")
    assert row == {"outcome": "answered", "completion_tokens": 12}
    assert list((gateway.folder / "journal").glob("*.jsonl")) == []


def test_who_is_killed_is_replaced_and_nobody_outlives_the_supervisor(
    family: tuple[Gateway, list[int]],
) -> None:
    gateway, _ = family
    for command in COMMANDS:
        before = running(gateway, command)
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda c=command, b=before: len(set(running(gateway, c)) - set(b)) == 1)  # type: ignore[misc]
        wait_until(lambda c=command, b=before: len(running(gateway, c)) == len(b))  # type: ignore[misc]
    assert gateway.ready()
    assert gateway.process is not None
    pids = descendants(gateway.process.pid)
    assert len(pids) == 4
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.child.wait()
    wait_until(lambda: not alive(pids))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", gateway.port))


def test_a_process_that_dies_at_once_is_given_up(tmp_path: Path) -> None:
    script = tmp_path / "manage.py"
    script.write_text(
        "import sys\n"
        "from gatewayz.supervisor import Child, Supervisor\n"
        "last_words = 'no web ' + 'today'\n"
        "Supervisor([Child('web', sys.exit, (last_words,))]).run()\n"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert "Hopeless: the web process does not start" in done.stderr
    assert done.stderr.count("no web today") == 5

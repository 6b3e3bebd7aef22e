"""Children are found, measured and ended, also those that do not want to."""

import os
import sys
import time

import pytest

from tests.servers import free_port
from tests.world.gateway import ROOT
from tests.world.processes import Process, cpu_s, descendants, listeners, rss_bytes

STUBBORN = """
import signal, socket, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.socket() as sock:
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    sock.listen()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def stubborn(tmp_path):
    """A process that ignores SIGTERM, listens on its argument's port and has a child."""
    port = free_port()
    command = [sys.executable, "-c", STUBBORN, str(port)]
    process = Process(command, tmp_path / "log", dict(os.environ), ROOT)
    until = time.monotonic() + 10
    while "ready" not in process.log and time.monotonic() < until:
        time.sleep(0.02)
    yield process, port
    process.stop(0.1)


def test_children_and_their_ports_are_found(stubborn):
    process, port = stubborn
    (child,) = descendants(process.pid)
    assert listeners(port, [process.pid, child]) == [process.pid]
    assert rss_bytes(child) > 2**20
    assert 0 <= cpu_s(process.pid) < 10


def test_what_ignores_sigterm_is_killed_with_its_children(stubborn):
    process, port = stubborn
    family = [process.pid, *descendants(process.pid)]
    assert process.stop(0.1) == -9
    assert listeners(port, family) == []
    assert process.stop() == -9


def test_a_process_that_ends_says_so(tmp_path):
    process = Process([sys.executable, "-c", "print('bye')"], tmp_path / "log", {}, ROOT)
    assert process.child.wait(10) == 0
    assert (process.ended, process.log) == (True, "bye\n")

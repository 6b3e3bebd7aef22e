"""Whatever a killed run of tests has started ends by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.world.gateway import ROOT
from tests.world.orphans import bearers

RUN = """
import os, signal, subprocess, sys, time
from tests.world.orphans import MARK, guarded

signal.signal(signal.SIGTERM, signal.{sigterm})  # a child ignores what its parent ignores
with guarded():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    print(os.environ[MARK], flush=True)
    {then}
"""


def started(sigterm: str, then: str) -> tuple["subprocess.Popen[str]", str]:
    """Start a run that starts a process; return it and its mark."""
    command = [sys.executable, "-c", RUN.format(sigterm=sigterm, then=then)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    return run, run.stdout.readline().strip()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("sigterm", ["SIG_DFL", "SIG_IGN"])
def test_what_a_killed_run_has_started_ends_willing_or_not(sigterm: str) -> None:
    run, mark = started(sigterm, "time.sleep(60)")
    wait_until(lambda: len(bearers(mark)) == 2)  # and the guard
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    wait_until(lambda: not bearers(mark))


def test_what_a_run_forgets_to_stop_ends_with_it() -> None:
    run, mark = started("SIG_DFL", "pass")
    run.communicate(timeout=30)
    assert (run.returncode, bearers(mark)) == (0, [])

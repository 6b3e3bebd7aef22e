"""Whatever a killed run of tests has started ends by itself."""

import os
import signal
import subprocess
import sys
import time

from tests.world.gateway import ROOT
from tests.world.orphans import bearers

RUN = """
import os, subprocess, sys, time
from tests.world.orphans import MARK, guarded

with guarded():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    {first}
    print(os.environ[MARK], flush=True)
    {then}
"""


def started(first: str, then: str) -> tuple["subprocess.Popen[str]", str]:
    """Start a run that starts a process; return it and its mark."""
    command = [sys.executable, "-c", RUN.format(first=first, then=then)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    return run, run.stdout.readline().strip()


def all_end(mark: str) -> bool:
    until = time.monotonic() + 30
    while bearers(mark) and time.monotonic() < until:
        time.sleep(0.05)
    return not bearers(mark)


def test_what_a_killed_run_has_started_ends_also_if_it_is_stubborn() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    run, mark = started(f"subprocess.Popen([sys.executable, '-c', {code!r}])", "time.sleep(60)")
    assert len(bearers(mark)) == 3  # and the guard
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    assert all_end(mark)


def test_what_a_run_forgets_to_stop_ends_with_it() -> None:
    run, mark = started("pass", "pass")
    assert run.wait(30) == 0
    assert all_end(mark)

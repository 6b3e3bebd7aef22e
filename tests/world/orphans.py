"""Ends what a killed test run would leave running: gateways, databases, commands.

A guard of its own reads a pipe that only the run holds open. The pipe's end is the run's end,
however it came; whoever still bears the run's mark in its environment then is asked to stop,
and killed when it does not.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "TEST_RUN"
POLITE_S = 3.0


@contextmanager
def guarded() -> Iterator[None]:
    """Mark this process and all that it starts from here on, and have them end with it."""
    os.environ[MARK] = f"{os.getpid()}-{time.time_ns()}"
    command = [sys.executable, "-I", "-S", __file__, os.environ[MARK]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        yield
        assert guard.stdin is not None
        guard.stdin.close()


def bearers(mark: str) -> list[int]:
    """Return the processes that were started with this mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def end(mark: str) -> None:
    """Ask every bearer to stop; kill those that have not after a while."""
    until = time.monotonic() + POLITE_S
    send(bearers(mark), signal.SIGTERM)
    while bearers(mark) and time.monotonic() < until:
        time.sleep(0.05)
    send(bearers(mark), signal.SIGKILL)


def send(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.stdin.read()
    end(sys.argv[1])

"""Keeps the processes of one node running: all start, the dead are replaced, all stop."""

import ctypes
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

QUICK_S = 2.0
MOST_QUICK_DEATHS = 5
STOP_S = 40.0
PR_SET_PDEATHSIG = 1
log = logging.getLogger(__name__)


class Hopeless(RuntimeError):
    """A process dies at once, again and again."""


@dataclass(slots=True)
class Child:
    """One process to keep running: its arguments to manage.py, and the descriptors it inherits.

    last: it is stopped after the others have ended, because it works on what they leave.
    """

    name: str
    arguments: list[str]
    descriptors: tuple[int, ...] = ()
    last: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        command = [sys.executable, sys.argv[0], *self.arguments]
        self.process = subprocess.Popen(
            command,
            pass_fds=self.descriptors,
            preexec_fn=leave_with_parent if sys.platform == "linux" else None,
        )
        self.started_at = time.monotonic()

    def mend(self) -> None:
        """Start the process again if it has died; raises Hopeless."""
        if self.process is None or self.process.poll() is None:
            return
        quick = time.monotonic() - self.started_at < QUICK_S
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        if self.quick_deaths >= MOST_QUICK_DEATHS:
            raise Hopeless(f"the {self.name} process does not start; its last lines say why")
        log.warning("the %s process ended with %s: again", self.name, self.process.returncode)
        self.start()


class Supervisor:
    def __init__(self, children: list[Child]) -> None:
        self._children = children
        self._stopping = False

    def run(self, each: Callable[[], None] = lambda: None) -> None:
        """Run until SIGTERM or SIGINT, calling `each` now and then; raises Hopeless."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            for child in self._children:
                child.start()
            while not self._stopping:
                time.sleep(0.2)
                for child in self._children:
                    child.mend()
                each()
        finally:
            self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _end(self) -> None:
        for last in (False, True):
            started = [c for c in self._children if c.last is last]
            stop([c.process for c in started if c.process is not None])


def stop(running: "list[subprocess.Popen[bytes]]") -> None:
    """Ask every process to stop; kill what does not in time."""
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def leave_with_parent() -> None:
    """Have the kernel stop this process when its parent dies: nobody would mend or end it then."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

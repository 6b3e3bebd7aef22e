"""Keeps the processes of one node running: all start, the dead are replaced, all stop."""

import ctypes
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

QUICK_S = 2.0
MOST_QUICK_DEATHS = 5
LOOK_S = 0.1
STOP_S = 40.0
STOPPING = (signal.SIGTERM, signal.SIGINT)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
LINUX = sys.platform == "linux"
# A forked process has all that the supervisor has loaded, and answers a second earlier than a new
# interpreter. Other systems' own libraries do not bear it.
processes: Any = multiprocessing.get_context("fork" if LINUX else "spawn")
log = logging.getLogger(__name__)


class Hopeless(RuntimeError):
    """A process dies at once, again and again."""


@dataclass(slots=True)
class Child:
    """One process to keep running: its name for operators, and the function that it calls.

    last: it is stopped after the others have ended, because it works on what they leave.
    """

    name: str
    work: Callable[..., None]
    arguments: tuple[Any, ...] = ()
    last: bool = False
    process: BaseProcess | None = None
    started_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.process = processes.Process(
            target=lead, args=(self.name, self.work, *self.arguments), name=self.name
        )
        self.started_at = time.monotonic()
        with held(*STOPPING):
            self.process.start()

    def mend(self) -> None:
        """Start the process again if it has died; raises Hopeless."""
        if self.process is None or self.process.exitcode is None:
            return
        quick = time.monotonic() - self.started_at < QUICK_S
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        if self.quick_deaths >= MOST_QUICK_DEATHS:
            raise Hopeless(f"the {self.name} process does not start; its last lines say why")
        log.warning("the %s process ended with %s: again", self.name, self.process.exitcode)
        self.start()


class Supervisor:
    """It has neither threads nor connections: a forked process would have halves of them."""

    def __init__(self, children: list[Child]) -> None:
        self._children = children
        self._stopping = False

    def run(self, each: Callable[[], None] = lambda: None) -> None:
        """Run until SIGTERM or SIGINT, calling `each` now and then; raises Hopeless."""
        for number in STOPPING:
            signal.signal(number, self._stop)
        try:
            for child in self._children:
                child.start()
            while not self._stopping:
                for child in self._children:
                    child.mend()
                each()
                time.sleep(LOOK_S)
        finally:
            self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _end(self) -> None:
        for last in (False, True):
            started = [c for c in self._children if c.last is last]
            stop([c.process for c in started if c.process is not None])


def stop(running: list[BaseProcess]) -> None:
    """Ask every process to stop; kill what does not in time."""
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in running:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()


def lead(name: str, work: Callable[..., None], *arguments: Any) -> None:
    """Live as the process `name`, from its first moment to its last."""
    leave_with_parent()
    be_called(name)
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    work(*arguments)


@contextmanager
def held(*numbers: signal.Signals) -> Iterator[None]:
    """Keep signals waiting: a new process that still had its parent's handlers would lose them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


LIBC = ctypes.CDLL(None) if LINUX else None


def leave_with_parent() -> None:
    """Have the kernel stop this process when its parent dies: nobody would mend or end it then."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def be_called(name: str) -> None:
    """Be `name` to top, pgrep and ps: their arguments are the supervisor's for all its children."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_NAME, name.encode()[:15])

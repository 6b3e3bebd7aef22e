"""One file in memory, shared by the processes of a node, and its lock.

The lock is the kernel's (flock): it is free as soon as its holder is gone, however it went.
"""

import fcntl
import logging
import mmap
import os
import threading
import time
from pathlib import Path

from billing.limits import layout
from billing.limits.layout import MOST_PROCESSES, PROCESSES

PATIENCE_S = 0.25  # for the lock; a process that was stopped holding it stops nobody else
PAUSE_S = 0.00005
NOW = fcntl.LOCK_EX | fcntl.LOCK_NB
log = logging.getLogger(__name__)


class SharedFile:
    """`words` are the file's. They may be looked at by anyone, and changed between `lock` and
    `unlock`. `process` is this process's number among those at work."""

    def __init__(self, folder: Path, capacity: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.capacity = folder, capacity
        self.path = folder / "counters"
        self._threads = threading.Lock()
        self._guard = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._seat = -1
        self.process = -1
        self.generation = 0
        self.open()

    def open(self) -> None:
        """Map the file, made anew if it is none of ours."""
        with self._threads:
            fcntl.flock(self._guard, fcntl.LOCK_EX)
            try:
                self._map()
            finally:
                fcntl.flock(self._guard, fcntl.LOCK_UN)

    def _map(self) -> None:
        descriptor = self._ours()
        self._inode = os.fstat(descriptor).st_ino
        self._memory = mmap.mmap(descriptor, layout.size_of(self.capacity))
        os.close(descriptor)
        self.words = memoryview(self._memory).cast("q")
        self.generation += 1
        if self.process >= 0:
            self.words[PROCESSES + self.process] = os.getpid()

    def _ours(self) -> int:
        """Return a descriptor of the file; one that cannot be used is replaced."""
        size = layout.size_of(self.capacity)
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return self._fresh(size)
        head = os.pread(descriptor, 3 * layout.WORD, 0)
        if head == self._head() and os.fstat(descriptor).st_size == size:
            return descriptor
        os.close(descriptor)
        log.warning("%s is damaged or of another version: limits count from zero", self.path)
        return self._fresh(size)

    def _head(self) -> bytes:
        numbers = (layout.MAGIC_NUMBER, layout.VERSION_NUMBER, self.capacity)
        return b"".join(number.to_bytes(layout.WORD, "little", signed=True) for number in numbers)

    def _fresh(self, size: int) -> int:
        """Make the file whole, then give it its name. Its blocks are taken now: a write to memory
        that the disk has no room for would kill the process."""
        trial = self.folder / f".counters-{os.getpid()}"
        descriptor = os.open(trial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            os.pwrite(descriptor, self._head(), 0)
            os.rename(trial, self.path)
        except OSError:
            os.close(descriptor)
            trial.unlink(missing_ok=True)
            raise
        return descriptor

    def sit(self) -> None:
        """Take the first number that is free, and keep its lock for as long as we live."""
        for number in range(MOST_PROCESSES):
            descriptor = self.seat(number)
            if descriptor is not None and self.words[PROCESSES + number] == 0:
                self._seat, self.process = descriptor, number
                self.words[PROCESSES + number] = os.getpid()
                return
            if descriptor is not None:
                os.close(descriptor)  # of a process that died: what it held goes back first
        raise OSError(f"more than {MOST_PROCESSES} processes count in {self.folder}")

    def seat(self, number: int) -> int | None:
        """Return a descriptor that holds a number's lock; None while its process lives."""
        descriptor = os.open(self.folder / f"process-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, NOW)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def replaced(self) -> bool:
        """Whether the file's name means another file now, or none."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except FileNotFoundError:
            return True

    def lock(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._guard, NOW)
        except BlockingIOError:
            self._wait()

    def _wait(self) -> None:
        """Wait for another process; go on without the lock when it holds it for ever."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            time.sleep(PAUSE_S)
            try:
                fcntl.flock(self._guard, NOW)
                return
            except BlockingIOError:
                continue
        self.words[layout.LATE] += 1
        log.error("the lock of %s is not given back, counting without it", self.path)

    def unlock(self) -> None:
        fcntl.flock(self._guard, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        """Let go of the number and the files; whoever sweeps gives back what was still held."""
        for descriptor in (self._seat, self._guard):
            if descriptor >= 0:
                os.close(descriptor)

"""Counters of one process in a mapped file: an increment is an integer's, and all processes of a
node can be read by any of them, also after one was killed.

Two files: NAME.counts holds 64-bit integers, NAME.names a line of JSON for each of them in use. The
first is locked for as long as its process lives.
"""

import fcntl
import json
import logging
import mmap
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SLOTS = 8192
WORD = 8
log = logging.getLogger(__name__)
Key = tuple[str, ...]  # a name, and the values of its labels


class Loose:
    """Counts of a process that nobody reads: none of a node's, or its disk is full."""

    def __init__(self) -> None:
        self.counts: defaultdict[Key, int] = defaultdict(int)

    def slot(self, key: Key) -> Key:
        return key


class Board:
    """`counts[slot(key)] += 1` counts. Slot 0 takes what comes when all are in use."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{time.time_ns()}-{os.getpid()}.counts"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # All of it is there before it is mapped: a full disk would kill who writes to a hole.
        os.posix_fallocate(self._file, 0, SLOTS * WORD)
        self.counts = memoryview(mmap.mmap(self._file, SLOTS * WORD)).cast("Q")
        self._names = os.open(path.with_suffix(".names"), os.O_WRONLY | os.O_CREAT, 0o600)
        self._slots: dict[Key, int] = {}
        self._room = SLOTS
        self.slot(("too_many",))
        with locked(folder, fcntl.LOCK_EX):
            for dead in [other for other in boards(folder) if not alive(other)]:
                self._inherit(dead)

    def slot(self, key: Key) -> int:
        """Return where `key` is counted; its name is written before it counts anything."""
        found = self._slots.get(key)
        if found is None:
            if len(self._slots) >= self._room or not self._named(key):
                return 0
            found = self._slots[key] = len(self._slots)
        return found

    def _named(self, key: Key) -> bool:
        """Write the next name; where the disk refuses, this is the last try."""
        line = json.dumps(key).encode() + b"\n"
        try:
            written = os.write(self._names, line)
        except OSError:
            written = 0
        if written < len(line):
            self._room = 0
        return written == len(line)

    def _inherit(self, dead: Path) -> None:
        """Count on from where a process stopped that is gone, so that no sum ever falls."""
        for key, count in read(dead).items():
            if key[0] not in GAUGES:
                self.counts[self.slot(key)] += count
        remove(dead)


def board(folder: Path) -> Board | Loose:
    """Return this process's board; what cannot be written down is counted all the same."""
    try:
        return Board(folder)
    except OSError as problem:
        log.warning("metrics of this process are not kept: %s", problem)
        return Loose()


GAUGES = {"revision"}  # what a process says of itself; of one that is gone it means nothing


def boards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.counts"))


def alive(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def read(path: Path) -> dict[Key, int]:
    """Return what a board counted; nothing of one that is being made or is gone."""
    try:
        counts = memoryview(path.read_bytes()).cast("Q")
        lines = path.with_suffix(".names").read_bytes().split(b"\n")[:-1]
    except (FileNotFoundError, TypeError):
        return {}
    keys = (tuple(json.loads(line)) for line in lines[: len(counts)])
    return dict(zip(keys, counts, strict=False))


def remove(path: Path) -> None:
    for one in (path, path.with_suffix(".names")):
        with suppress(FileNotFoundError):
            one.unlink()


@contextmanager
def locked(folder: Path, how: int) -> Iterator[None]:
    """Keep a reader from seeing counts twice, or not at all, while a new process inherits them."""
    file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)


def totals(folder: Path) -> tuple[dict[Key, int], list[dict[Key, int]]]:
    """Return the sums over all processes, and each living one's own counts."""
    sums: dict[Key, int] = {}
    living = []
    with locked(folder, fcntl.LOCK_SH):
        for path in boards(folder):
            counts = read(path)
            if alive(path):
                living.append(counts)
            for key, count in counts.items():
                sums[key] = sums.get(key, 0) + count
    return sums, living


def clear(folder: Path) -> None:
    """Begin anew, as when a node is started: counts of processes that are gone are forgotten."""
    for path in boards(folder):
        if not alive(path):
            remove(path)

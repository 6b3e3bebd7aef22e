"""The append-only journal of one process: a line is safe once written, whatever kills the process.

A file is locked for as long as its process appends to it; an unlocked one is complete.
"""

import fcntl
import logging
import os
import time
from pathlib import Path

from billing.records import Record, encode
from providers.errors import NoProviderAvailable

LARGEST = 16 * 1024 * 1024
log = logging.getLogger(__name__)


class Journal:
    """Appends, one write per line. `broken` while the disk refuses; each new try may mend it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.broken = False
        self._folder = folder
        self._descriptor = self._open()
        self._size = 0

    def _open(self) -> int:
        """Open a fresh file under a name that sorts by time; it appears locked."""
        name = f"{time.time_ns()}-{os.getpid()}.jsonl"
        hidden = self._folder / f".{name}"
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.rename(hidden, self._folder / name)
        return descriptor

    def ready(self) -> None:
        """Raise NoProviderAvailable while nothing can be recorded: that would not be sold."""
        if not self.broken:
            return
        try:
            self._rotate()
            os.write(self._descriptor, b"\n")
        except OSError as problem:
            raise NoProviderAvailable(
                "Requests cannot be recorded now, so none is taken.", retry_after_s=5
            ) from problem
        self.broken = False

    def write(self, record: Record) -> None:
        line = encode(record) + b"\n"
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError("the disk took part of a line")
        except OSError as problem:
            self.broken = True
            log.critical("request %s was not recorded: %s", record.request_id, problem)
            return
        self._size += written
        if self._size > LARGEST:
            self._rotate()

    def _rotate(self) -> None:
        old, self._descriptor, self._size = self._descriptor, self._open(), 0
        os.close(old)

    def close(self) -> None:
        os.close(self._descriptor)

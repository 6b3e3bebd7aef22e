"""The append-only journal of one process: a line is safe once written, whatever kills the process.

A file is locked for as long as its process appends to it; an unlocked one is complete.
"""

import fcntl
import logging
import os
import time
from collections import deque
from pathlib import Path

from billing.books.records import Record, encode
from billing.leases.owners import new_process, node_of
from providers.errors import NoProviderAvailable

LARGEST = 16 * 1024 * 1024
SPOILED = b" torn\n"
log = logging.getLogger(__name__)


class Journal:
    """Appends, one write per line. `broken` while the disk refuses: what was under way is then kept
    in memory until the disk takes it, and nothing new is admitted."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.node = node_of(folder)
        self.process = new_process(self.node)
        self.broken = False
        self._torn = False
        self._folder = folder
        self._largest = largest
        self._size = 0
        self._owed: deque[bytes] = deque()
        self._open_streams: dict[str, bytes] = {}
        self._descriptor = self._next()

    def ready(self) -> None:
        """Raise NoProviderAvailable while nothing can be recorded: that would not be sold."""
        if self.broken and not self.mend():
            raise NoProviderAvailable(
                "Requests cannot be recorded now, so none is taken.", retry_after_s=5
            )

    def mend(self) -> bool:
        """Try again to write what the disk refused; return whether all is written."""
        late = 0
        while self._owed and self._append(self._owed[0]):
            self._owed.popleft()
            late += 1
        if self.broken and not self._owed:
            self.broken = not (late or self._append(b"\n"))  # an empty line is a trial
        if late and not self.broken:
            log.warning("the journal can be written again; %s lines were late", late)
        return not self.broken

    def write(self, record: Record, owed: bool = True) -> bool:
        """Append a line; return whether the disk has it. If not, it is kept in memory, if `owed`.

        Lines stay in order: while one waits, the next ones wait behind it.
        """
        line = encode(record) + b"\n"
        if record.opened:
            self._open_streams[record.request_id] = line
        else:
            self._open_streams.pop(record.request_id, None)
        if not self.broken and self._append(line):
            if self._size > self._largest:
                self._rotate()
            return True
        self.broken = True
        if owed:
            self._owed.append(line)
        else:
            self._open_streams.pop(record.request_id, None)
        return False

    def _append(self, line: bytes) -> bool:
        """Write a line. One that is cut short is spoiled by what is written next: it may be whole
        but for its end, and must not be taken for a line that was recorded."""
        data = SPOILED + line if self._torn else line
        try:
            written = os.write(self._descriptor, data)
        except OSError as problem:
            log.critical("the journal cannot be written: %s", problem)
            return False
        self._size += written
        if written == len(data):
            self._torn = False
            return True
        log.critical("the disk took only a part of a journal's line")
        self._torn = True
        return False

    def _rotate(self) -> None:
        """Go on in a fresh file. The old one will do if there can be no other now."""
        old = self._descriptor
        try:
            self._descriptor = self._next()
        except OSError as problem:
            log.error("no new journal, the old one grows on: %s", problem)
            self._size = 0
            return
        os.close(old)

    def _next(self) -> int:
        """Open a fresh file under a name that sorts by time. It appears locked, and begins with the
        streams that are open: their end will stand there."""
        name = f"{time.time_ns()}-{self.process}.jsonl"
        hidden = self._folder / f".{name}"
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        lines = b"".join(self._open_streams.values())
        try:
            if os.write(descriptor, lines) < len(lines):
                raise OSError("the disk took a part of the lines")
            os.rename(hidden, self._folder / name)
        except OSError:
            os.close(descriptor)
            hidden.unlink(missing_ok=True)
            raise
        self._size = len(lines)
        return descriptor

    def close(self) -> None:
        self.mend()
        os.close(self._descriptor)

"""What happened at each provider, as the database has it: for health and counts."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection

FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Record:
    """listed: the rows of its last good list, repeated ones too; None where nobody knows."""

    listed: int | None = None
    last_sync: datetime | None = None
    last_success: datetime | None = None


NONE = Record()


def read() -> Mapping[str, Record]:
    """Return the records by slug. Nothing is recorded yet."""
    return {}


class Records:
    """Asks the database at most every FRESH_S; keeps what it knows while there is no answer."""

    def __init__(self, source: Callable[[], Mapping[str, Record]] = read) -> None:
        self._source = source
        self._known: Mapping[str, Record] = {}
        self._until = 0.0
        self._lock = threading.Lock()

    def of(self, slug: str) -> Record:
        return self._known.get(slug, NONE)

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self._until

    def refresh(self) -> None:
        """Ask again if it is time to; for a thread."""
        with self._lock:
            if self.fresh:
                return
            try:
                self._known = self._source()
            except Error:
                connection.close()
            self._until = time.monotonic() + FRESH_S

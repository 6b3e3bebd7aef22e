"""What happened at each provider, as the database has it: for health and counts."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection
from django.db.models import Max

from catalog.evidence.models import OfferHealth
from catalog.syncs.counting import Gateway, gateways
from catalog.syncs.models import SyncRun

FRESH_S = 5.0
GOOD = ("applied", "unchanged")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """counts: as `gateway_counts` prints them. last_sync: when a list was last read well;
    last_success: when a call last succeeded, None where nobody has noted it."""

    counts: Gateway
    last_sync: datetime | None = None
    last_success: datetime | None = None


def read() -> dict[str, Record]:
    """Return the records by slug."""
    good = SyncRun.objects.filter(state__in=GOOD).order_by().values_list("provider__slug")
    synced = dict(good.annotate(last=Max("finished_at")))
    called = OfferHealth.objects.filter(last_success_at__isnull=False).order_by()
    answered = dict(
        called.values_list("offer__provider__slug").annotate(last=Max("last_success_at"))
    )
    return {
        row.gateway: Record(row, synced.get(row.gateway), answered.get(row.gateway))
        for row in gateways()
    }


class Records:
    """Asks the database anew for each revision, and every `fresh_s`: a call's success makes none.

    Keeps what it knows while there is no answer.
    """

    def __init__(
        self, source: Callable[[], Mapping[str, Record]] = read, fresh_s: float = FRESH_S
    ) -> None:
        self._source, self._fresh_s = source, fresh_s
        self._known: Mapping[str, Record] = {}
        self._revision = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def of(self, slug: str) -> Record | None:
        return self._known.get(slug)

    def are_fresh(self, revision: int) -> bool:
        """Whether they were asked for lately, and not before this revision."""
        return self._revision >= revision and time.monotonic() < self._until

    def refresh(self, revision: int) -> None:
        """Ask again unless they are fresh; for a thread."""
        with self._lock:
            if self.are_fresh(revision):
                return
            try:
                self._known = self._source()
            except Error as problem:
                log.warning("what happened at providers is not known anew: %s", problem)
            finally:
                connection.close()
            self._revision, self._until = revision, time.monotonic() + self._fresh_s

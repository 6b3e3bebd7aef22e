"""All of /metrics: the counts of this node's processes, and what the database says."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.db import Error, connection

from gatewayz.metrics import facts
from gatewayz.metrics.board import totals
from gatewayz.metrics.text import Family, counter, histogram, number, render

FRESH_S = 5.0  # the database is asked no more often
log = logging.getLogger(__name__)


class Scrape:
    """Made by a thread for each reader; the database's part is remembered for a while."""

    def __init__(self, folder: Path, journals: Path) -> None:
        self._folder, self._journals = folder, journals
        self._facts = facts.Facts()
        self._until = 0.0
        self._lock = threading.Lock()

    def text(self, journal_writable: bool) -> bytes:
        """Return the page; while no database answers, with what it said last."""
        with self._lock:
            self._ask()
            found = [*processes(self._folder), *facts.families(self._facts)]
        writable = "1 while this process can write its journal."
        found.append(number("gatewayz_journal_writable", writable, float(journal_writable)))
        return render(found)

    def _ask(self) -> None:
        if time.monotonic() < self._until:
            return
        try:
            self._facts = facts.read(self._journals)
        except Error as problem:
            log.warning("metrics show what the database said before: %s", problem)
        finally:
            connection.close()
        self._until = time.monotonic() + FRESH_S


def processes(folder: Path) -> Iterator[Family]:
    """Yield what the web processes of this node counted, together."""
    counts, living = totals(folder)
    yield counter(
        "gatewayz_requests_total",
        "Requests that ended, by how.",
        counts,
        "requests",
        ("endpoint", "outcome"),
    )
    yield histogram(
        "gatewayz_request_duration_seconds",
        "Whole requests, to the answer's end.",
        counts,
        "request",
        "endpoint",
    )
    yield counter(
        "gatewayz_errors_total", "Errors that were answered.", counts, "errors", ("code",)
    )
    yield counter(
        "gatewayz_attempts_total",
        "Attempts at providers, by how they ended.",
        counts,
        "attempts",
        ("provider", "outcome"),
    )
    yield histogram(
        "gatewayz_attempt_duration_seconds",
        "Attempts at providers, to the answer, or to a stream's first event.",
        counts,
        "attempt",
        "provider",
    )
    yield counter(
        "gatewayz_tokens_total",
        "Tokens, as providers reported them or as they were estimated.",
        counts,
        "tokens",
        ("provider", "side"),
    )
    yield number("gatewayz_web_processes", "Web processes of this node.", len(living))
    serving = [own["revision",] for own in living if ("revision",) in own]
    yield number(
        "gatewayz_revision",
        "Oldest revision from which a web process of this node serves.",
        min(serving, default=0),
    )

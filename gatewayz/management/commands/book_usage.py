"""Moves what the web processes have journalled into the database; `serve` runs one of it."""

import itertools
import logging
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections

from billing.books.booking import Bookkeeper, only
from gatewayz.collector import spare_the_collector

INTERVAL_S = 0.25
NICE = 5  # requests go first; a quarter of a busy processor is still enough to keep up
LOOK_EVERY = 4  # times, it looks for leases of processes that are gone
log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Book the usage that web processes have journalled, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Book what is there, then end.")

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICE)
        settings.JOURNAL_DIR.mkdir(parents=True, exist_ok=True)
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        while only(settings.JOURNAL_DIR) is None:
            if stopped.wait(1):
                return
        bookkeeper = Bookkeeper(settings.JOURNAL_DIR)
        spare_the_collector()
        for round_ in itertools.count():
            self._book(bookkeeper, look=round_ % LOOK_EVERY == 0)
            if options["once"] or stopped.wait(INTERVAL_S):
                break
        self._book(bookkeeper)

    def _book(self, bookkeeper: Bookkeeper, look: bool = True) -> None:
        try:
            bookkeeper.run_once(look)
        except (Error, OSError) as problem:
            log.warning("usage not booked, trying again: %s", problem)
            close_old_connections()

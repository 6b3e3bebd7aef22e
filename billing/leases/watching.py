"""Looks whether other processes wait for money that this one may have idle."""

import logging
import threading

from django.db import connection

from billing.leases.calling import waiting
from billing.leases.moving import Bank, NotMoved
from billing.leases.purse import Purse

log = logging.getLogger(__name__)


class Watch:
    """A thread of its own, with a connection of its own while there is something to give back."""

    def __init__(self, bank: Bank, purse: Purse, interval_s: float) -> None:
        self._bank, self._purse, self._interval_s = bank, purse, interval_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recalls", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        wait = waiting(self._stopped)
        while not self._stopped.is_set():
            wait(self._interval_s)
            try:
                if self._purse.in_use:
                    self._purse.recall(self._bank.asked())
                else:
                    connection.close()
            except NotMoved:
                log.debug("nobody could be asked who waits for money")
            except Exception:
                log.exception("the leases were not looked at, trying again")
        connection.close()

"""The data plane of one process: everything that a request needs, in memory."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings

from billing.access.keytable import KeyTable
from billing.access.lookup import answered, find_key
from billing.books.journal import Journal
from billing.leases.moving import Bank, Owner
from billing.leases.purse import Purse
from billing.leases.watching import Watch
from billing.limits.admitting import Limits
from billing.limits.clerk import learn_key
from billing.limits.counting import Counting
from billing.limits.keeping import Keeper
from billing.limits.sharing import SharedFile
from billing.limits.sweeping import sweep
from billing.limits.upstream import UpstreamSlots
from billing.values import Key
from catalog.listing import View
from catalog.live import Live
from catalog.records import Records
from catalog.sheets import Sheet
from catalog.shelf import Shelf
from catalog.turns import hurriedly
from catalog.values import Snapshot
from gatewayz.collector import spare_the_collector
from gatewayz.metrics.board import Loose, board
from gatewayz.metrics.meter import Meter
from gatewayz.metrics.scrape import Scrape
from providers.adapters.echo import EchoTransport
from providers.dispatch import Dispatcher
from providers.transport import Transport
from providers.transport.pool import HttpTransport

Result = TypeVar("Result")
log = logging.getLogger(__name__)
SWITCH_S = 0.0005  # how long a request waits for a thread that computes; ten times as long else
BUILDERS = 2  # threads that make lists and the search
LOOKUPS = 4  # at once; a database that hangs holds up these threads and nothing else
QUESTIONS = 2  # of key holders, at once: their keys, money, receipts


class Plane:
    """Made once per process, started before its first request."""

    def __init__(self) -> None:
        http = HttpTransport()
        self.transports: dict[str, Transport] = {
            "http": http,
            "https": http,
            "echo": EchoTransport(),
        }
        self.dispatcher = Dispatcher(self.transports, UpstreamSlots(lambda: self.limits.counting))
        self.keys = KeyTable(self._find)
        self.shelf = Shelf()
        self.records = Records()
        self.live = Live(self._changed, self.renew_aside)
        self._lists = ThreadPoolExecutor(BUILDERS, "lists")
        self._renewal: Future[None] | None = None
        self._lookups = ThreadPoolExecutor(LOOKUPS, "keys")
        self._questions = ThreadPoolExecutor(QUESTIONS, "questions")
        self.journal: Journal
        self.purse: Purse
        self._watch: Watch
        self.limits: Limits
        self.keeper: Keeper
        self.meter = Meter(Loose())
        self.scrape = Scrape(settings.METRICS_DIR, settings.JOURNAL_DIR)

    def start(self) -> None:
        """Read the configuration and open the journal; raises what keeps it from serving."""
        self.journal = Journal(settings.JOURNAL_DIR)
        bank = Bank(Owner(self.journal.node, self.journal.process))
        self.purse = Purse(bank, settings.LEASE_IDLE_S)
        self._watch = Watch(bank, self.purse, settings.LEASE_LOOK_S)
        self.limits = Limits(counting())
        self.keeper = Keeper(self.limits, settings.REDIS_URL)
        self.keeper.start()
        self.meter = Meter(board(settings.METRICS_DIR))
        with hurriedly():
            self.live.start()
            self.live.snapshot.finder.prepare()  # a search that came first would hold up all others
        self._watch.start()
        self.renew_aside(self.live.snapshot)
        spare_the_collector()
        sys.setswitchinterval(SWITCH_S)

    def _changed(self, revision: int, parts: set[str] | None) -> None:
        """Forget the keys that a change concerns; money that may have been taken back goes back."""
        self.keys.forget(revision, parts)
        self.purse.recall(None if parts is None else accounts_of(parts))

    async def read_key(self, digests: tuple[str, ...]) -> Key | None:
        """Ask the database for a key that the table has not seen, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._lookups, self.keys.read, digests)

    async def ask(self, work: Callable[..., Result], *args: Any) -> Result:
        """Return what `work` returns, which asks the database, in a thread for such questions."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._questions, answered, work, *args)

    def _find(self, digests: tuple[str, ...]) -> tuple[Key | None, int]:
        """Find a key in the database, with what was spent of its budgets."""
        key, revision = find_key(digests)
        learn_key(self.limits.counting, key)
        return key, revision

    def renew(self) -> None:
        """Make what is looked up in a configuration: the lists that are in use, and the search."""
        snapshot = self.live.snapshot
        self.shelf.renew(snapshot, time.time())
        snapshot.finder.prepare()

    def renew_aside(self, snapshot: Snapshot) -> None:
        """Renew in a thread for lists, once for all revisions that come while it waits to begin."""
        self.meter.serves(snapshot.revision)
        if self._renewal is not None:
            self._renewal.cancel()
        self._renewal = self._lists.submit(logged, self.renew)

    async def sheet(self, view: View) -> Sheet:
        """Return a list of models; one that is not there yet is made in a thread."""
        found = self.shelf.ready(view)
        return found if found is not None else await self.aside(self.shelf.made, view)

    async def aside(self, work: Callable[..., Result], *args: Any) -> Result:
        """Return what `work` returns, done in the thread for lists."""
        return await asyncio.get_running_loop().run_in_executor(self._lists, work, *args)

    def stop(self) -> None:
        self.live.stop()
        self._watch.stop()
        self.purse.stop()
        self._lists.shutdown(wait=False, cancel_futures=True)
        self._lookups.shutdown(wait=False, cancel_futures=True)
        self._questions.shutdown(wait=False, cancel_futures=True)
        self.journal.close()
        self.keeper.stop()
        self.limits.counting.file.close()
        for transport in self.transports.values():
            transport.close()


def counting() -> Counting:
    """Open what the processes of this node count in, free of those that died; raises OSError."""
    file = SharedFile(settings.LIMITS_DIR, settings.LIMIT_COUNTERS)
    sweep(file)
    file.sit()
    return Counting(file)


def accounts_of(parts: set[str]) -> set[int]:
    """Return the accounts that are among parts of the configuration."""
    named = (part.partition(":") for part in parts)
    return {int(name) for kind, _, name in named if kind == "account"}


def logged(work: Callable[[], None]) -> None:
    """Do it; a failure is told in the log, since nobody waits for the result."""
    try:
        work()
    except Exception:
        log.exception("lists were not renewed, the next request for one makes it")


plane = Plane()

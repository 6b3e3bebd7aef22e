"""The data plane of one process: everything that a request needs, in memory."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from billing.journal import Journal
from billing.keytable import KeyTable
from billing.lookup import find_key
from billing.values import Key
from catalog.live import Live
from providers.adapters.echo import EchoTransport
from providers.dispatch import Dispatcher
from providers.slots import Slots
from providers.transport import Transport
from providers.transport.pool import HttpTransport

LOOKUPS = 4  # at once; a database that hangs holds up these threads and nothing else


class Plane:
    """Made once per process, started before its first request."""

    def __init__(self) -> None:
        http = HttpTransport()
        self.transports: dict[str, Transport] = {
            "http": http,
            "https": http,
            "echo": EchoTransport(),
        }
        self.dispatcher = Dispatcher(self.transports, Slots(settings.WEB_PROCESSES))
        self.keys = KeyTable(find_key)
        self.live = Live(self.keys.forget)
        self._lookups = ThreadPoolExecutor(LOOKUPS, "keys")
        self.journal: Journal

    def start(self) -> None:
        """Read the configuration and open the journal; raises what keeps it from serving."""
        self.journal = Journal(settings.JOURNAL_DIR)
        self.live.start()
        spare_the_collector()

    async def read_key(self, digests: tuple[str, ...]) -> Key | None:
        """Ask the database for a key that the table has not seen, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._lookups, self.keys.read, digests)

    def stop(self) -> None:
        self.live.stop()
        self._lookups.shutdown(wait=False, cancel_futures=True)
        self.journal.close()
        for transport in self.transports.values():
            transport.close()


def spare_the_collector() -> None:
    """Leave what start-up made out of every later collection, and collect less often.

    A full collection walks all of Django and the snapshot; it took a fifth of a request's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


plane = Plane()

"""Keeps a process on the newest revision: one thread looks, reads what changed, and swaps."""

import logging
import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection

from catalog import revisions
from catalog.loading import Unsteady, load
from catalog.values import Snapshot

log = logging.getLogger(__name__)


class Live:
    """`snapshot` is always whole; it is replaced, never changed.

    on_change(old_revision, parts) runs in the watching thread before the new snapshot is in place;
    parts are None when everything may have changed. on_swap(snapshot) runs there afterwards, and
    must not take long; it is not called for the first one.
    """

    def __init__(
        self,
        on_change: Callable[[int, "set[str] | None"], None],
        on_swap: Callable[[Snapshot], None] = lambda snapshot: None,
    ) -> None:
        self.snapshot = Snapshot()
        self.checked_at = 0.0
        self._on_change = on_change
        self._on_swap = on_swap
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read everything, then keep watching. Raises what the first reading raises."""
        self.snapshot = load()
        self.checked_at = time.monotonic()
        connection.close()
        self._thread = threading.Thread(target=self._watch, name="revisions", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def refresh(self) -> None:
        """Take over the newest revision, if there is one."""
        old = self.snapshot
        fresh = load(old)
        if fresh is not old:
            self._on_change(fresh.revision, revisions.since(old.revision))
            fresh.finder.catch_up()
            self.snapshot = fresh
            self._on_swap(fresh)
        self.checked_at = time.monotonic()

    def _watch(self) -> None:
        wait = self._redis_wait() if settings.REDIS_URL else self._stopped.wait
        while not self._stopped.is_set():
            try:
                self.refresh()
            except (Error, Unsteady) as problem:
                log.warning("revision not taken over, trying again: %s", problem)
                connection.close()
            except Exception:
                log.exception("revision not taken over, trying again")
            wait(settings.POLL_INTERVAL_S)
        connection.close()

    def _redis_wait(self) -> Callable[[float], object]:
        """Return a wait that ends early when a revision is announced."""
        pubsub = revisions.client().pubsub(ignore_subscribe_messages=True)

        def wait(seconds: float) -> object:
            try:
                if not pubsub.subscribed:
                    pubsub.subscribe(revisions.CHANNEL)
                return pubsub.get_message(timeout=seconds)
            except redis.RedisError:
                pubsub.reset()
                return self._stopped.wait(seconds)

        return wait

"""What is done beside the requests: one process of a node does it for all, in threads.

The dead are swept, other nodes are told and heard, and budgets follow the database.
"""

import fcntl
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import redis
from django.db import connection

from billing.limits import layout
from billing.limits.admitting import Limits
from billing.limits.clerk import Clerk
from billing.limits.nodes import Nodes
from billing.limits.sharing import NOW
from billing.limits.sweeping import sweep

EXCHANGE_S, SWEEP_S, BUDGETS_S = 0.1, 0.3, 0.25
DEAF_S = 1.5  # without word of Redis for so long, a node keeps to its share
log = logging.getLogger(__name__)


class Keeper:
    """`leading` while this process does the node's work; another takes over when it is gone."""

    def __init__(self, limits: Limits, redis_url: str) -> None:
        self._limits, self._file = limits, limits.counting.file
        self._stopped = threading.Event()
        self._leader = os.open(self._file.folder / "leader", os.O_RDWR | os.O_CREAT, 0o600)
        self.leading = False
        self._swept_at = self._heard_at = 0.0
        self._clerk = Clerk(limits)
        self._nodes = self._wake = None
        if redis_url:
            self._nodes = Nodes(self._file, redis_url, name_of(self._file.folder))
            self._wake = pipe(self._file.folder / "wake")
            limits.counting.on_news = self._call
        self._threads = [
            threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True)
            for name, work in (("limits", self.keep), ("budgets", self.follow_budgets))
        ]

    def start(self) -> None:
        if self._nodes is None:
            self._file.words[layout.NODES] = 1
            self._file.words[layout.STATE] = layout.ALONE
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._call()
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(timeout=2)
        if self._nodes is not None and self.leading:
            self._nodes.leave()
        os.close(self._leader)

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._stopped.is_set():
            try:
                work()
            except Exception:
                log.exception("limits are not looked after, trying again")
                self._stopped.wait(SWEEP_S)
        connection.close()

    def keep(self) -> None:
        """Do what is due, and wait a moment."""
        if self._file.replaced():
            log.warning("%s is gone, limits count from zero", self._file.path)
            self._file.open()
        self.leading = self.leading or self._lead()
        now = time.monotonic()
        if self.leading and now - self._swept_at > SWEEP_S:
            self._swept_at = now
            if dead := sweep(self._file):
                log.warning("%s processes died; what they held is free again", dead)
        if self.leading and self._nodes is not None:
            self._exchange(self._nodes)
            self._listen(EXCHANGE_S)
        else:
            self._stopped.wait(SWEEP_S)

    def _lead(self) -> bool:
        try:
            fcntl.flock(self._leader, NOW)
        except BlockingIOError:
            return False
        self._heard_at = time.monotonic()
        return True

    def _exchange(self, nodes: Nodes) -> None:
        try:
            nodes.exchange(int(time.time() * 1000))
            if self._file.words[layout.STATE] != layout.CUT_OFF:
                self._heard_at = time.monotonic()
        except redis.RedisError as problem:
            late = time.monotonic() - self._heard_at
            if late > DEAF_S and self._file.words[layout.STATE] != layout.CUT_OFF:
                log.warning("Redis is gone, limits are this node's share: %s", problem)
                self._file.words[layout.CUTS] += 1
                nodes.cut_off()

    def _call(self) -> None:
        """Have the process that leads ask the other nodes now."""
        if self._wake is not None:
            try:
                os.write(self._wake, b".")
            except BlockingIOError:
                return  # it has been called often enough

    def _listen(self, seconds: float) -> None:
        assert self._wake is not None
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def follow_budgets(self) -> None:
        """Have the counters know what the database knows, and the database who was refused."""
        self._clerk.work(self.leading)
        self._stopped.wait(BUDGETS_S)

    def troubles(self) -> list[str]:
        """Return what an operator should know of the counting; it goes on all the same."""
        words, found = self._file.words, []
        if words[layout.STATE] == layout.CUT_OFF:
            nodes = max(1, words[layout.NODES])
            found.append(f"Redis does not answer: limits are split evenly for {nodes} nodes")
        if words[layout.EVICTIONS]:
            found.append("more limits are used than are counted: raise GATEWAYZ_LIMIT_COUNTERS")
        return found

    def figures(self) -> dict[str, int]:
        """Return numbers for metrics: nodes now, and how often since the file was made."""
        words = self._file.words
        return {
            "nodes": max(1, words[layout.NODES]),
            "cut_off": int(words[layout.STATE] == layout.CUT_OFF),
            "cuts": words[layout.CUTS],
            "evictions": words[layout.EVICTIONS],
            "late_locks": words[layout.LATE],
        }


def name_of(folder: Path) -> str:
    """Return this node's name, the same for all its processes and after a restart."""
    path, trial = folder / "node", folder / f".node-{os.getpid()}"
    trial.write_text(uuid4().hex)
    with suppress(FileExistsError):
        os.link(trial, path)  # whole, or not at all
    trial.unlink()
    return path.read_text()


def pipe(path: Path) -> int:
    """Return a named pipe that anybody of this node can write to and the leader reads."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)

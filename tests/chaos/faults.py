"""What goes wrong: processes are killed, the database stops, the disk is full, all restarts."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress

from tests.gatewayz.test_crash import full_disk, running
from tests.servers import Postgres
from tests.world.gateway import Gateway

QUIET_S = (0.5, 6.0)  # between two faults
KINDS = ("kill web", "kill web", "kill bookkeeper", "kill both", "full disk")


class Faults:
    """Does one after the other, by chance; the database stops and everything restarts in turn."""

    def __init__(self, gateway: Gateway, database: Postgres, seed: int, outage_s: float) -> None:
        self.done: Counter[str] = Counter()
        self.kills: list[float] = []
        self._left: list[str] = []
        self._gateway, self._database = gateway, database
        self._chance = random.Random(seed)
        self._outage_s = outage_s

    async def run(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        great = iter([(0.25, "stop database"), (0.65, "restart all"), (9.0, "")])
        at, kind = next(great)
        while loop.time() < end:
            await asyncio.sleep(self._chance.uniform(*QUIET_S))
            if loop.time() > end - seconds + at * seconds:
                await self._do(kind)
                at, kind = next(great)
            else:
                await self._do(self._next())

    def _next(self) -> str:
        """Return each kind once, in an order of chance, before any comes again."""
        if not self._left:
            self._left = self._chance.sample(KINDS, len(KINDS))
        return self._left.pop()

    async def _do(self, kind: str) -> None:
        self.done[kind] += 1
        with suppress(ProcessLookupError):
            if kind == "stop database":
                await self._stop_database()
            elif kind == "restart all":
                await asyncio.to_thread(self._restart)
            elif kind == "full disk":
                await self._fill_disk()
            else:
                self._kill(kind.removeprefix("kill "))
        if self._gateway.process is not None and self._gateway.process.ended:
            self.done["it ended by itself"] += 1
            await asyncio.to_thread(self._gateway.start)

    def _kill(self, whom: str) -> None:
        commands = {"web": ["run_web"], "bookkeeper": ["book_usage"]}
        for command in commands.get(whom, ["run_web", "book_usage"]):
            if found := running(self._gateway, command):
                self._kill_one(self._chance.choice(found))

    def _kill_one(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.kills.append(time.time())

    async def _fill_disk(self) -> None:
        """Let one web process write a few bytes more and no others; kill it then, every other
        time."""
        pids = running(self._gateway, "run_web")
        journals = list((self._gateway.folder / "journal").glob("*.jsonl"))
        if not pids or not journals:
            return
        pid = self._chance.choice(pids)
        with full_disk(pid, self._chance.randrange(800), self._gateway.folder / "journal"):
            await asyncio.sleep(self._chance.uniform(0.5, 2))
            if self._chance.random() < 0.5:
                self._kill_one(pid)

    async def _stop_database(self) -> None:
        """Stop it for a while, and kill a web process meanwhile."""
        await asyncio.to_thread(self._database.stop)
        await asyncio.sleep(self._outage_s / 2)
        self._kill("web")
        await asyncio.sleep(self._outage_s / 2)
        await asyncio.to_thread(self._database.start)

    def _restart(self) -> None:
        """Kill the node, and start it again."""
        assert self._gateway.process is not None
        self.kills.append(time.time())
        self._gateway.process.kill()
        self.kills.append(time.time())
        self._gateway.start(120)

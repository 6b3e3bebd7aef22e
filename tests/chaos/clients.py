"""Clients that ask at a steady rate, whatever becomes of their requests, and remember that."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from tests.gatewayz.money.crowd import ask, dialled

MOST_AT_ONCE = 300
PATIENCE_S = 60
POOR = 0.2  # the part of requests that poor accounts make


@dataclass
class Seen:
    """What clients saw. delivered: ids of answers of which a byte came. refused: of errors.
    broken: connections that broke before a byte came. left: clients that gave up waiting for one.
    statuses: of all answers."""

    delivered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    broken: int = 0
    left: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


class Clients:
    def __init__(self, url: str, keys: dict[str, list[str]], rate: float, seed: int) -> None:
        self.seen = Seen()
        self._url, self._keys, self._rate = url, keys, rate
        self._chance = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stopped: asyncio.Event) -> None:
        """Ask until `stopped`, then wait for what is under way."""
        while not stopped.is_set():
            if len(self._tasks) < MOST_AT_ONCE:
                task = asyncio.create_task(self._ask())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(self._chance.expovariate(self._rate))
        while self._tasks:
            await asyncio.sleep(0.05)

    async def _ask(self) -> None:
        chance = self._chance
        key = chance.choice(self._keys["poor" if chance.random() < POOR else "rich"])
        stream = chance.random() < 0.5
        leaves = stream and chance.random() < 0.1
        body = ask("chaos/chat", stream=stream, max_tokens=chance.choice((10, 100, 1000)))
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await dialled(self._url, key, body)
        except (OSError, TimeoutError):
            return  # nobody was there: nothing was asked
        try:
            request_id = await self._head(reader)
            if request_id:
                await self._rest(reader, leaves)
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> str:
        """Read an answer's head; return its id, or nothing where there was none."""
        seen = self.seen
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        except TimeoutError:  # an OSError, too
            seen.left += 1
            return ""
        except (OSError, asyncio.IncompleteReadError):
            seen.broken += 1
            return ""
        status = int(head.split()[1])
        request_id = head.partition("x-request-id: ")[2].partition("\r\n")[0]
        seen.statuses[status] += 1
        (seen.delivered if status == 200 else seen.refused).add(request_id)
        return request_id

    async def _rest(self, reader: asyncio.StreamReader, leaves: bool) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while await reader.read(65536) and not leaves:
                    pass

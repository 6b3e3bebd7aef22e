"""One run: a gateway on PostgreSQL, clients, faults, and the reckoning."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.clients import Clients, Seen
from tests.chaos.faults import Faults
from tests.chaos.judging import problems
from tests.servers import new_database, stoppable_postgres
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.server import Upstream
from tests.world.config import UNLIMITED, unique
from tests.world.gateway import Gateway

PRICE = {"input": "1", "output": "1"}  # whatever was begun costs something
ANSWER = Chat("one two three four", usage=tokens(9, 5), delay_s=0.01)
POOR_USD = "0.0015"  # a hold and a half of the largest
TOP_UP_S = 1.0


@dataclass
class Report:
    seen: Seen
    faults: dict[str, int]
    unseen: int
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        seen = self.seen
        said = [
            f"delivered {len(seen.delivered)}, by status {dict(seen.statuses)}",
            f"{seen.broken} connections broke before a byte, {seen.left} clients left; "
            f"{self.unseen} charged of these",
            f"faults {self.faults}",
            *(self.wrong or ["Every delivered answer was charged once, nothing is held."]),
        ]
        return "\n".join(said)


def run(seconds: float, rate: float, seed: int, outage_s: float) -> Report:
    with stoppable_postgres() as (database, url), gateway_on(url) as gateway:
        rich = [gateway.issue_key(unique("rich"), "1000") for _ in range(3)]
        poor_names = [unique("poor") for _ in range(4)]
        keys = {"rich": rich, "poor": [gateway.issue_key(n, POOR_USD) for n in poor_names]}
        gateway.steward.stop()
        clients = Clients(gateway.url, keys, rate, seed)
        faults = Faults(gateway, database, seed, outage_s)
        asyncio.run(together(clients, faults, seconds))
        settle(gateway)
        charged = "SELECT request_id FROM billing_usagerow WHERE cost_nano > 0"
        ids = {row["request_id"] for row in gateway.rows(charged)}
        report = Report(clients.seen, dict(faults.done), len(ids - clients.seen.delivered))
        report.wrong += problems(gateway, clients.seen, faults.kills)
        if keep := os.environ.get("CHAOS_KEEP"):
            shutil.copytree(gateway.folder, keep, dirs_exist_ok=True)
        return report


@contextmanager
def gateway_on(server_url: str) -> Iterator[Gateway]:
    with tempfile.TemporaryDirectory() as name, Upstream() as up:
        up.reply(ANSWER)
        url = new_database(server_url)
        with Gateway(Path(name), workers=3, database_url=url) as gateway:
            gateway.apply(UNLIMITED)
            gateway.provider(up, [{"id": "chaos/chat", "price": PRICE}])
            yield gateway


async def together(clients: Clients, faults: Faults, seconds: float) -> None:
    stopped = asyncio.Event()
    asking = asyncio.create_task(clients.run(stopped))
    try:
        await faults.run(seconds)
    finally:
        stopped.set()
        await asking


def settle(gateway: Gateway) -> None:
    """Stop, and book what is left."""
    gateway.stop()
    gateway.run("book_usage", "--once")

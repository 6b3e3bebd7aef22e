"""Many clients at once, against one gateway or several on one database."""

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.upstreams.chat import Chat, tokens
from tests.upstreams.errors import Status
from tests.upstreams.server import Upstream
from tests.world.config import UNLIMITED, unique
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

MOST_TOKENS = 1000
PRICE = {"input": "0", "output": "1"}
HOLD_NANO = MOST_TOKENS * 1000
GREEDY = Chat("all of it", usage=tokens(9, MOST_TOKENS))
FREE = Chat("nothing of it", usage=tokens(9, 0))


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def complete(self) -> bool:
        """Whether an answer came whole: a stream up to its end."""
        return self.status == 200 and (b"data:" not in self.body or b"[DONE]" in self.body)


class Nodes:
    """Gateways on one database, and providers behind all of them."""

    def __init__(self, gateways: Sequence[Gateway], up: Upstream) -> None:
        self.gateways, self.up = gateways, up
        self.first = gateways[0]
        self.first.apply(UNLIMITED)
        broken = {"id": "money/two", "price": PRICE}
        self.first.provider(up, [{"id": "money/one", "price": PRICE}, broken], slug="sound")
        self.first.provider(up, [broken | {"upstream_id": "broken"}], slug="broken", priority=1)
        up.models["broken"] = Status(503, {"error": {"message": "overloaded"}})
        for other in gateways[1:]:
            other.settle()

    def alone(self) -> "Nodes":
        """Return the first node by itself."""
        only = copy.copy(self)
        only.gateways = [self.first]
        return only

    def account(self, holds: float) -> tuple[str, str]:
        """Return a new account with money for so many holds, and its key."""
        name = unique("racer")
        return name, self.first.issue_key(name, f"{holds * HOLD_NANO / 10**9:.9f}")

    def race(self, key: str, count: int, model: str = "money/one", **rest: Any) -> list[Answer]:
        """Ask `count` times at once, at every node in turn."""
        return asyncio.run(self._race(key, count, ask(model, **rest)))

    async def _race(self, key: str, count: int, body: bytes) -> list[Answer]:
        urls = [self.gateways[number % len(self.gateways)].url for number in range(count)]
        return list(await asyncio.gather(*(post(url, key, body) for url in urls)))

    def everywhere(self, key: str, model: str = "money/one", **rest: Any) -> list[int]:
        """Ask every worker of every node once, by itself; return the statuses."""
        statuses = []
        for gateway in self.gateways:
            with line_per_worker(gateway) as lines:
                for line in lines.values():
                    statuses.append(asked(line, key, model, **rest))
        return statuses

    def check(self) -> None:
        """Prove the ledger; AssertionError with the differences."""
        self.first.manage("check_ledger")


def asked(line: httpx.Client, key: str, model: str, **rest: Any) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    path = "/v1/chat/completions"
    return line.post(path, content=ask(model, **rest), headers=headers).status_code


def ask(model: str, **rest: Any) -> bytes:
    messages = [{"role": "user", "content": "hi"}]
    body = {"model": model, "messages": messages, "max_tokens": MOST_TOKENS}
    return json.dumps(body | rest).encode()


async def post(url: str, key: str, body: bytes) -> Answer:
    reader, writer = await dialled(url, key, body)
    try:
        got = await reader.read()
    finally:
        writer.close()
    head, _, rest = got.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), rest)


async def dialled(
    url: str, key: str, body: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request on a connection of its own."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {place.netloc}\r\nconnection: close\r\n"
        f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    return reader, writer


def statuses(answers: Sequence[Answer]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))

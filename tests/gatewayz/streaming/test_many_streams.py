"""Many streams at once: each exact and in order, and nothing is left of those that were cut."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import openai

from tests.gatewayz.streaming.line import Line, ask, dialled
from tests.upstreams.chat import Chat, event
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Sse
from tests.upstreams.wire import Wire
from tests.world.processes import open_files

HI = event({"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi"}}]})
ENDLESS = Sse([HI], then="silence")
SOON_S = 15.0


@dataclass(frozen=True)
class Repeat:
    """Streams the question's own text back."""

    async def answer(self, seen: Seen, wire: Wire) -> None:
        said = seen.fields["messages"][-1]["content"]
        await Chat(said, delay_s=0.01).answer(seen, wire)


def test_a_hundred_streams_at_once_are_exact_and_in_order(line: Line):
    model = line.model(Repeat())
    texts = [" ".join(f"{stream}.{word}" for word in range(25)) for stream in range(100)]
    assert asyncio.run(all_of(line, model, texts)) == texts
    assert {row["outcome"] for row in line.usage(model, 100)} == {"answered"}


async def all_of(line: Line, model: str, texts: list[str]) -> list[str]:
    options = {"base_url": f"{line.gateway.url}/v1", "api_key": line.gateway.key}
    async with openai.AsyncOpenAI(**options, max_retries=0) as client:

        async def one(text: str) -> str:
            messages = [{"role": "user", "content": text}]
            stream = await client.chat.completions.create(**ask(model) | {"messages": messages})
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        return await asyncio.gather(*map(one, texts))


def test_nothing_is_left_of_two_hundred_streams_that_were_cut(line: Line):
    with Upstream() as up:
        up.reply(ENDLESS)
        line.gateway.provider(up, ["acme/endless"], slug="endless")
        [pid] = line.gateway.worker_pids()
        cut(line, "acme/endless", 20)
        soon(lambda: up.open_connections == 0)
        before = len(open_files(pid))
        cut(line, "acme/endless", 200)
        soon(lambda: up.open_connections == 0)
        soon(lambda: len(open_files(pid)) <= before + 5)
    assert line.gateway.ready()
    assert {row["outcome"] for row in line.usage("acme/endless", 220)} == {"cancelled"}


def test_the_slots_of_streams_that_were_cut_are_free_again(line: Line):
    with Upstream() as up:
        up.reply(ENDLESS)
        line.gateway.provider(up, ["acme/five"], slug="five", limits={"concurrency": 5})
        for round in range(1, 4):
            with begun(line, "acme/five", 5):
                refused = line.gateway.http.post("/v1/chat/completions", json=ask("acme/five"))
                assert refused.status_code == 429
            soon(lambda: up.open_connections == 0)
            assert len(up.requests) == 5 * round
        up.reply(Chat("Served"))
        done = line.gateway.http.post("/v1/chat/completions", json=ask("acme/five", stream=False))
        assert done.json()["choices"][0]["message"]["content"] == "Served"


def cut(line: Line, model: str, count: int) -> None:
    with begun(line, model, count):
        pass


@contextmanager
def begun(line: Line, model: str, count: int) -> Iterator[None]:
    """Have `count` streams begin; all are cut when the block ends."""
    with ExitStack() as leaving:
        socks = [dialled(line.gateway, ask(model)) for _ in range(count)]
        for sock in socks:
            leaving.enter_context(sock)
        for sock in socks:
            came = b""
            while b"Hi" not in came:
                came += (piece := sock.recv(65536))
                assert piece, came
        yield


def soon(done: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_connection_carries_the_next_request_after_a_stream(line: Line):
    with Upstream() as up:
        up.reply(Chat("Again"))
        line.gateway.provider(up, ["acme/again"], slug="again")
        for _ in range(5):
            assert json.dumps("Again") in line.stream("acme/again").decode()
        assert up.connections == 1

"""Whatever shape a provider's stream has on the wire, the client's is whole, exact and regular."""

import asyncio
import json
from dataclasses import replace

import httpx
import openai
import pytest

from tests.gatewayz.streaming.line import Line, ask, events, text
from tests.upstreams.chat import DONE, Chat, event
from tests.upstreams.seen import Seen
from tests.upstreams.stream import KEEP_ALIVE, OPENROUTER_COMMENT, Sse, Stream, at, every, together
from tests.upstreams.wire import Wire

WORDS = "Grüße an alle: 世界 und 🚀, “quoted” \\ and\n\nsplit data: [DONE] inside."
CHAT = Chat(WORDS)
SHAPES = {
    "an event a packet": Stream(CHAT),
    "a byte a packet": Stream(CHAT, cut=every(1)),
    "seven bytes a packet": Stream(CHAT, cut=every(7)),
    "all in one packet": Stream(CHAT, cut=together),
    "CRLF": Stream(CHAT, newline=b"\r\n"),
    "CRLF, a byte a packet": Stream(CHAT, newline=b"\r\n", cut=every(1)),
    "CR": Stream(CHAT, newline=b"\r"),
    "comments": Stream(CHAT, comment=OPENROUTER_COMMENT),
    "comments and CRLF in three bytes a packet": Stream(
        CHAT, comment=KEEP_ALIVE, newline=b"\r\n", cut=every(3)
    ),
    "no [DONE]": Stream(CHAT, done=False),
    "no [DONE], all in one packet": Stream(CHAT, done=False, cut=together),
    "another model's name": Stream(replace(CHAT, model="somebody/else")),
}


class CutOnce:
    """Cuts the stream once, at the byte that the request's seed names."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    async def answer(self, seen: Seen, wire: Wire) -> None:
        cut = at(seen.fields["seed"])
        await replace(self.stream, cut=cut, gap_s=0.02).answer(seen, wire)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_openai_client_reads_every_shape(line: Line, shape: Stream):
    model = line.model(shape)
    with line.gateway.openai() as client:
        chunks = list(client.chat.completions.create(**ask(model)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == WORDS
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.model for chunk in chunks} == {model}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_leaves_as_one(line: Line, shape: Stream):
    found = events(line.stream(line.model(shape)))
    assert text(found) == WORDS


def test_the_async_openai_client_reads_it_too(line: Line):
    model = line.model(SHAPES["comments"])

    async def read() -> str:
        options = {"base_url": f"{line.gateway.url}/v1", "api_key": line.gateway.key}
        async with openai.AsyncOpenAI(**options, max_retries=0) as client:
            stream = await client.chat.completions.create(**ask(model))
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(read()) == WORDS


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_stream_may_be_cut_at_any_byte(line: Line, newline: bytes):
    stream = Stream(Chat("aé🚀", usage=None), newline=newline, comment=b": c\n\n")
    model = line.model(CutOnce(stream))
    seen = Seen("POST", "/", {}, json.dumps(ask(model)).encode())
    size = len(b"".join(stream.events(seen)))
    bodies = asyncio.run(streams(line, [ask(model, seed=place) for place in range(1, size)]))
    wrong = [(place, body) for place, body in enumerate(bodies, 1) if said(body) != "aé🚀"]
    assert not wrong


def said(body: bytes) -> str:
    return text(events(body)) if body.endswith(DONE) else ""


async def streams(line: Line, asks: list[dict]) -> list[bytes]:
    """Return the whole streams of these requests, of which twenty are under way at a time."""
    twenty = asyncio.Semaphore(20)
    bearer = {"Authorization": f"Bearer {line.gateway.key}"}
    async with httpx.AsyncClient(base_url=line.gateway.url, headers=bearer, timeout=30) as client:

        async def one(body: dict) -> bytes:
            async with twenty:
                return (await client.post("/v1/chat/completions", json=body)).content

        return await asyncio.gather(*map(one, asks))


def test_an_event_of_a_megabyte_comes_through(line: Line):
    long = "x" * 2**20
    assert text(events(line.stream(line.model(Stream(Chat(long)))))) == long


def test_a_megabyte_of_small_packets_comes_through(line: Line):
    long = "é" * 2**19
    assert text(events(line.stream(line.model(Stream(Chat(long), cut=every(4001)))))) == long


def test_a_chunk_that_names_no_model_gets_the_name_that_was_asked(line: Line):
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    model = line.model(Sse([event({"id": "1", "choices": [choice]}), DONE]))
    assert [chunk["model"] for chunk in events(line.stream(model))] == [model]


def test_what_a_chunk_holds_besides_is_kept(line: Line):
    extra = {"citations": ["https://example.com"], "x_groq": {"id": "req_1"}, "nothing": None}
    found = events(line.stream(line.model(Stream(Chat("Hi", extra=extra)))))
    assert all(extra.items() <= chunk.items() for chunk in found)


def test_what_came_before_a_broken_event_is_given(line: Line):
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
    good = event({"id": "1", "model": "m", "choices": [choice]})
    body = line.stream(line.model(Sse([good, good + b"data: {broken\n\n"], gap_s=0.1)))
    assert body.count(b'"content": "Hi"') == 2
    assert b'"code":"upstream_error"' in body
    assert DONE not in body

"""What a stream used is metered always, and shown to those who asked for it."""

from dataclasses import replace

import pytest

from tests.gatewayz.streaming.line import Line, ask, events, text
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.stream import Stream, every

CHAT = Chat("Grüße an alle", usage=tokens(90, 120, cached=40, reasoning=20))
ASKED = {"stream_options": {"include_usage": True}}
SHAPES = {
    "as it is asked": Stream(CHAT),
    "a byte a packet": Stream(CHAT, cut=every(1)),
    "with the finish reason": Stream(replace(CHAT, usage_when="always")),
    "in every chunk": Stream(replace(CHAT, usage_when="every")),
    "without [DONE]": Stream(CHAT, done=False),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_usage_is_metered_whether_it_was_asked_for_or_not(line: Line, shape: Stream):
    model = line.model(shape)
    for rest in ({}, ASKED):
        assert text(events(line.stream(model, **rest))) == CHAT.text
    for row in line.usage(model, 2):
        assert row["outcome"] == "answered"
        assert row["usage_source"] == "upstream"
        counted = [row[f"{kind}_tokens"] for kind in ("prompt", "completion", "cached")]
        assert counted == [90, 120, 40]
        assert row["reasoning_tokens"] == 20
        assert row["cost_nano"] == 90 * 500 + 120 * 1500


def test_the_last_chunk_is_usage_for_those_who_asked(line: Line):
    model = line.model(Stream(CHAT))
    with line.gateway.openai() as client:
        chunks = list(client.chat.completions.create(**ask(model, **ASKED)))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.prompt_tokens == 90
    assert chunks[-1].usage.completion_tokens == 120
    assert chunks[-1].model == model
    assert all(chunk.choices and chunk.usage is None for chunk in chunks[:-1])


@pytest.mark.parametrize("rest", [{}, {"stream_options": {"include_usage": False}}])
def test_nobody_else_gets_a_chunk_without_choices(line: Line, rest: dict):
    model = line.model(Stream(CHAT))
    assert all(chunk["choices"] for chunk in events(line.stream(model, **rest)))
    [seen] = line.seen(model)
    assert seen.fields["stream_options"]["include_usage"] is True


@pytest.mark.parametrize("done", [True, False])
def test_absent_usage_is_estimated_and_marked_so(line: Line, done: bool):
    model = line.model(Stream(Chat("x" * 401, usage=None), done=done))
    assert text(events(line.stream(model))) == "x" * 401
    [row] = line.usage(model)
    assert row["outcome"] == "answered"
    assert row["usage_source"] == "estimated"
    assert row["completion_tokens"] == 101  # four bytes a token, rounded up
    assert row["prompt_tokens"] > 0
    assert row["cost_nano"] == row["prompt_tokens"] * 500 + 101 * 1500

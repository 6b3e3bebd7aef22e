"""A provider that speaks Anthropic's own format looks like any other to the openai client."""

import json

import pytest

from tests.gatewayz.streaming.line import QUESTION, Line, ask, events, text
from tests.upstreams.chat import ToolCall
from tests.upstreams.messages import Messages, used
from tests.upstreams.presets import anthropic
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway

MODELS = [f"acme/native-{number}" for number in range(8)]
WORDS = "Grüße, 世界 und 🚀."


@pytest.fixture(scope="module")
def native(gateway: Gateway):
    with Upstream() as up:
        anthropic(up)
        up.token = "sk-ant-test"
        gateway.provider(up, MODELS, slug="native", adapter="anthropic")
        line = Line(gateway, up)
        line._free = list(MODELS)
        yield line


def test_a_whole_answer(native: Line):
    model = native.model(Messages(WORDS, usage=used(30, 12, cache_read=10)))
    with native.gateway.openai() as client:
        answer = client.chat.completions.create(**ask(model, stream=False, max_tokens=50))
    assert answer.model == model
    assert answer.choices[0].message.content == WORDS
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (40, 12)
    sent = the_request(native, model)
    assert sent.path == "/v1/messages"
    assert sent.headers["x-api-key"] == "sk-ant-test"
    assert "authorization" not in sent.headers
    assert sent.fields["max_tokens"] == 50
    [row] = native.usage(model)
    assert [row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]] == [40, 12, 10]
    assert row["usage_source"] == "upstream"


def the_request(native: Line, model: str) -> Seen:
    [sent] = native.seen(model)
    assert QUESTION in json.dumps(sent.fields["messages"])
    return sent


def test_a_stream(native: Line):
    model = native.model(Messages(WORDS, usage=used(30, 12)))
    with native.gateway.openai() as client:
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(**ask(model, stream_options=options)))
    assert {chunk.model for chunk in chunks} == {model}
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == WORDS
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (30, 12)
    [row] = native.usage(model)
    assert (row["outcome"], row["completion_tokens"]) == ("answered", 12)


def test_a_stream_ends_as_openai_ends_it(native: Line):
    found = events(native.stream(native.model(Messages(WORDS))))
    assert text(found) == WORDS
    assert all(chunk["choices"] for chunk in found)


def test_thoughts_and_tool_calls_in_a_stream(native: Line):
    arguments = '{"city": "Köln", "days": 3}'
    spoken = Messages(WORDS, thinking="Let me see.", tool_calls=[ToolCall("weather", arguments)])
    model = native.model(spoken)
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    with native.gateway.openai() as client:
        deltas = [c.choices[0] for c in client.chat.completions.create(**ask(model, tools=[tool]))]
    thoughts = "".join(getattr(d.delta, "reasoning_content", None) or "" for d in deltas)
    calls = [call for d in deltas for call in d.delta.tool_calls or ()]
    assert thoughts == "Let me see."
    assert calls[0].function.name == "weather"
    joined = "".join(call.function.arguments or "" for call in calls)
    assert json.loads(joined) == json.loads(arguments)
    assert deltas[-1].finish_reason == "tool_calls"


def test_an_error_in_the_middle(native: Line):
    problem = {"type": "overloaded_error", "message": "Overloaded"}
    model = native.model(Messages(WORDS, error=problem, delay_s=0.05))
    body = native.stream(model)
    last = json.loads(body.decode().split("\n\n")[-2].removeprefix("data: "))
    assert last["error"]["code"] == "upstream_error"
    assert "Overloaded" in last["error"]["message"]
    [row] = native.usage(model)
    assert (row["outcome"], row["usage_source"]) == ("failed", "estimated")


def test_a_client_that_leaves_is_charged_for_the_prompt_as_it_was_counted(native: Line):
    model = native.model(Messages("word " * 400, usage=used(300, 999), delay_s=0.02))
    with native.opened(model) as answer:
        pieces = answer.iter_raw()
        said = b"".join(next(pieces) for _ in range(10))
    assert b"word" in said
    [row] = native.usage(model)
    assert (row["outcome"], row["usage_source"]) == ("cancelled", "estimated")
    assert row["prompt_tokens"] == 300
    assert 0 < row["completion_tokens"] < 100

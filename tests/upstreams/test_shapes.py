"""Well-behaved clients read well-behaved streams, and what is broken is broken as asked."""

import json

import httpx
import openai
import pytest

from tests.upstreams.chat import Chat, ToolCall, tokens
from tests.upstreams.faults import (
    Close,
    Garbage,
    Hang,
    Html,
    Huge,
    Redirect,
    Reset,
    Slow,
    Truncated,
    refused,
)
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Sse, Stream, at, every, together

TEXT = "Grüße, 世界 🙂 and more"
MESSAGES = [{"role": "user", "content": "hi"}]


def openai_at(up: Upstream) -> openai.OpenAI:
    return openai.OpenAI(base_url=up.url, api_key="test", max_retries=0)


def streamed(up: Upstream, **fields):
    """Return the text, the usage and the last finish reason that the openai client reads."""
    text, usage, reason = "", None, None
    client = openai_at(up)
    for chunk in client.chat.completions.create(
        model="m", messages=MESSAGES, stream=True, **fields
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reason = choice.finish_reason or reason
    return text, usage, reason


def raw(up: Upstream) -> bytes:
    return httpx.post(f"{up.url}/chat/completions", json={"model": "m", "stream": True}).content


def test_a_plain_answer_has_the_models_id_and_usage(upstream):
    upstream.reply(Chat(TEXT, usage=tokens(5, 7, cached=2)))
    answer = openai_at(upstream).chat.completions.create(model="a/b:c", messages=MESSAGES)
    assert (answer.model, answer.choices[0].message.content) == ("a/b:c", TEXT)
    assert answer.usage.total_tokens == 12
    assert answer.usage.prompt_tokens_details.cached_tokens == 2


def test_usage_comes_in_a_stream_only_when_asked(upstream):
    assert streamed(upstream)[1] is None
    text, usage, reason = streamed(upstream, stream_options={"include_usage": True})
    assert (text, usage.prompt_tokens, reason) == ("Hello there", 9, "stop")


@pytest.mark.parametrize(("when", "chunks"), [("always", 1), ("every", 4)])
def test_usage_comes_unasked_as_some_providers_do(upstream, when, chunks):
    upstream.reply(Chat(usage_when=when))
    assert raw(upstream).count(b"prompt_tokens_details") == chunks


def test_usage_may_be_absent(upstream):
    upstream.reply(Chat(usage=None))
    assert streamed(upstream, stream_options={"include_usage": True})[1] is None


def test_tool_calls_arrive_in_parts(upstream):
    upstream.reply(Chat("", tool_calls=[ToolCall("weather", '{"city": "Bonn"}')]))
    plain = openai_at(upstream).chat.completions.create(model="m", messages=MESSAGES)
    assert plain.choices[0].message.tool_calls[0].function.name == "weather"
    assert streamed(upstream)[2] == "tool_calls"
    assert b'\\"city\\":' in raw(upstream)


def test_reasoning_comes_in_the_named_field(upstream):
    upstream.reply(Chat(reasoning="hm hm", reasoning_field="reasoning"))
    assert raw(upstream).count(b'"reasoning"') == 2


SHAPES = {
    "a byte at a time": Stream(Chat(TEXT), cut=every(1)),
    "seven bytes at a time": Stream(Chat(TEXT), cut=every(7)),
    "cut in two": Stream(Chat(TEXT), cut=at(200)),
    "in one packet": Stream(Chat(TEXT), cut=together),
    "with CRLF": Stream(Chat(TEXT), newline=b"\r\n"),
    "with comments": Stream(Chat(TEXT), comment=b": OPENROUTER PROCESSING\n\n"),
    "after keep-alives": Stream(Chat(TEXT), comments_only_s=0.2),
    "without [DONE]": Stream(Chat(TEXT), done=False),
    "dripping": Stream(Chat(TEXT), cut=every(64), gap_s=0.002),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_client_reads_every_shape_of_stream(upstream, shape):
    upstream.reply(shape)
    assert streamed(upstream)[0] == TEXT


def test_an_event_of_one_megabyte_arrives(upstream):
    upstream.reply(Chat("x" * 2**20))
    assert len(streamed(upstream)[0]) == 2**20


def test_raw_pieces_go_out_one_by_one(upstream):
    upstream.reply(Sse([b"data: a\n", b"\ndata: ", b"b\n\n"]))
    assert raw(upstream) == b"data: a\n\ndata: b\n\n"
    assert len(upstream.requests[0].sent_at) == 3


def test_an_error_comes_after_the_200(upstream):
    error = {"error": {"code": 502, "message": "Provider died"}}
    upstream.reply(Stream(stop_after=2, error=error))
    with pytest.raises(openai.APIError, match="Provider died"):
        streamed(upstream)


@pytest.mark.parametrize("then", ["cut", "reset"])
def test_a_stream_breaks_off_after_some_events(upstream, then):
    upstream.reply(Stream(stop_after=2, then=then))
    with httpx.stream("POST", f"{upstream.url}/x", json={"stream": True}) as answer:
        pieces = answer.iter_lines()
        assert json.loads(next(pieces).removeprefix("data: "))["object"] == "chat.completion.chunk"
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            list(pieces)


def test_silence_follows_some_events(upstream):
    upstream.reply(Stream(stop_after=1, then="silence"))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{upstream.url}/x", json={"stream": True}, timeout=0.2)


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Hang(), httpx.ReadTimeout),
        (Close(), httpx.RemoteProtocolError),
        (Reset(), httpx.ReadError),
        (Garbage(), httpx.RemoteProtocolError),
        (Truncated(short=True), httpx.RemoteProtocolError),
    ],
)
def test_a_fault_is_the_clients_error(upstream, fault, raised):
    upstream.reply(fault)
    with pytest.raises(raised):
        httpx.post(f"{upstream.url}/x", json={}, timeout=0.3)


def test_a_body_may_be_cut_with_the_right_length(upstream):
    upstream.reply(Truncated())
    answer = httpx.post(f"{upstream.url}/x", json={})
    assert len(answer.content) == 60
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("status", [200, 502])
def test_a_web_page_comes_where_json_was_due(upstream, status):
    upstream.reply(Html(status))
    answer = httpx.post(f"{upstream.url}/x", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html")


def test_a_redirect_names_its_place(upstream):
    upstream.reply(Redirect("http://127.0.0.1:1/"))
    assert httpx.post(f"{upstream.url}/x", json={}).headers["location"] == "http://127.0.0.1:1/"


@pytest.mark.parametrize("length", [True, False])
def test_a_huge_body_is_json(upstream, length):
    upstream.reply(Huge(2**20 + 5, length))
    content = httpx.post(f"{upstream.url}/x", json={}).json()["choices"][0]["message"]["content"]
    assert len(content) == 2**20 + 5


def test_a_slow_body_arrives_whole(upstream):
    upstream.reply(Slow(count=64, gap_s=0.001, blank=b"\n\n"))
    answer = httpx.post(f"{upstream.url}/x", json={})
    assert answer.content.startswith(b"\n\n{")
    assert answer.json()["object"] == "chat.completion"


def test_a_port_refuses():
    with refused() as url, pytest.raises(httpx.ConnectError):
        httpx.get(url)

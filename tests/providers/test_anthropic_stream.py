"""Anthropic's events become OpenAI's chunks, however the packets were cut."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from providers.adapters.answers import Broken
from providers.adapters.anthropic import Anthropic
from providers.failures import UNREADABLE
from providers.values import Usage

ASKED = "claude"
START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 1},
    },
}
STOP = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]


def event(body):
    return f"event: {body['type']}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def stream(*bodies):
    return b"".join(event(body) for body in bodies)


def delta(kind, index=0, **members):
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def block(kind, index=0, **members):
    return {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": kind, **members},
    }


def stop(index=0):
    return {"type": "content_block_stop", "index": index}


TALK = stream(
    START,
    {"type": "ping"},
    block("thinking", thinking="", signature=""),
    delta("thinking_delta", thinking="Hm"),
    delta("signature_delta", signature="xyz"),
    stop(),
    block("text", 1, text=""),
    delta("text_delta", 1, text="Grüß "),
    delta("text_delta", 1, text="Gott 🙂"),
    stop(1),
    block("tool_use", 2, id="toolu_1", name="f", input={}),
    delta("input_json_delta", 2, partial_json=""),
    delta("input_json_delta", 2, partial_json='{"a"'),
    delta("input_json_delta", 2, partial_json=":1}"),
    stop(2),
    block("tool_use", 3, id="toolu_2", name="g", input={}),
    stop(3),
    {"type": "something_new", "index": 4},
    *STOP,
)


def reader(wants_usage=True):
    return Anthropic().reader(ASKED, wants_usage)


def chunks(given: bytes):
    """Parse what a client got as the openai package does; it must be whole events."""
    assert given.endswith(b"\n\n")
    events = [text for text in given.split(b"\n\n") if text and not text.startswith(b":")]
    assert all(text.startswith(b"data: ") and b"\n" not in text for text in events)
    bodies = [text[6:] for text in events if text != b"data: [DONE]"]
    return [ChatCompletionChunk.model_validate(json.loads(body), strict=True) for body in bodies]


def deltas(given):
    return [chunk.choices[0].delta for chunk in chunks(given) if chunk.choices]


def test_a_stream_becomes_chunks():
    given = reader().feed(TALK)
    parsed = chunks(given)
    assert {(chunk.id, chunk.model, chunk.created) for chunk in parsed} == {
        ("msg_1", ASKED, parsed[0].created)
    }
    said = deltas(given)
    assert said[0].role == "assistant"
    assert "".join(part.content or "" for part in said) == "Grüß Gott 🙂"
    assert [part.reasoning_content for part in said if hasattr(part, "reasoning_content")] == ["Hm"]
    calls = [call for part in said for call in part.tool_calls or ()]
    assert [(call.index, call.id, call.function.name) for call in calls if call.id] == [
        (0, "toolu_1", "f"),
        (1, "toolu_2", "g"),
    ]
    written = {0: "", 1: ""}
    for call in calls:
        written[call.index] += call.function.arguments
    assert written == {0: '{"a":1}', 1: "{}"}
    assert [c.choices[0].finish_reason for c in parsed if c.choices][-1] == "stop"


def test_usage_comes_last_and_the_stream_says_that_it_is_done():
    one = reader()
    given = one.feed(TALK)
    assert given.endswith(b"data: [DONE]\n\n")
    last = chunks(given)[-1]
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (12, 9)
    assert one.usage == Usage(input=10, output=9, cached_input=2)
    assert one.started
    assert one.finished
    assert one.finish() == b""


def test_usage_is_only_for_who_asked():
    assert all(chunk.choices for chunk in chunks(reader(wants_usage=False).feed(TALK)))


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(TALK)), max_size=20))
def test_torn_events_make_the_same_chunks(cuts):
    one, given, start = reader(), b"", 0
    for cut in [*sorted(cuts), len(TALK)]:
        given += one.feed(TALK[start:cut])
        start = cut
    one._created = 0
    assert [c.choices for c in chunks(given)] == [c.choices for c in chunks(reader().feed(TALK))]


def test_every_event_is_passed_on_as_it_comes():
    one = reader()
    assert deltas(one.feed(event(START)))[0].role == "assistant"
    assert one.feed(event(block("text", text=""))) == b""
    assert deltas(one.feed(event(delta("text_delta", text="a"))))[0].content == "a"


def test_pings_and_comments_keep_the_client_alive_and_start_nothing():
    one = reader()
    assert one.feed(b": hello\n") == b": ping\n\n"
    assert one.feed(b"\n" + event({"type": "ping"})) == b": ping\n\n"
    assert not one.started


def test_who_leaves_early_is_charged_the_prompt_and_what_was_said():
    one = reader()
    one.feed(stream(START, block("text", text=""), delta("text_delta", text="x" * 41)))
    assert one.usage == Usage(input=10, output=11, cached_input=2, source="estimated")
    assert one.text_bytes == 41


def test_an_error_event_is_a_failure_and_nothing_is_given_out():
    one = reader()
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    given = one.feed(stream(START, error, delta("text_delta", text="late")))
    assert len(chunks(given)) == 1
    assert (one.failure.kind.name, one.failure.message) == ("overloaded", "Overloaded")
    assert not one.finished
    assert one.finish() == b""


def test_an_error_as_the_first_event_has_started_nothing():
    one = reader()
    assert one.feed(b'data: {"error": {"message": "no such model", "code": 404}}\n\n') == b""
    assert (one.failure.kind.name, one.started) == ("model_missing", False)


def test_a_missing_message_stop_is_made_good():
    one = reader()
    given = one.feed(stream(START, delta("text_delta", text="a"), STOP[0])) + one.finish()
    assert given.endswith(b"data: [DONE]\n\n")
    assert chunks(given)[-1].usage.completion_tokens == 9
    assert one.finished


def test_a_last_event_without_its_blank_line_counts():
    one = reader()
    given = one.feed(stream(START, *STOP)[:-2])
    assert not one.finished
    assert (given + one.finish()).endswith(b"data: [DONE]\n\n")
    assert one.finished


@pytest.mark.parametrize("cut", [b"", event(START)])
def test_a_stream_that_ends_before_its_message_is_broken(cut):
    one = reader()
    one.feed(cut)
    with pytest.raises(Broken):
        one.finish()


def test_a_stream_that_ends_in_the_middle_of_an_event_is_broken():
    one = reader()
    one.feed(event(START)[:-9])
    assert one.finish() == b""
    assert one.failure == UNREADABLE


@pytest.mark.parametrize("junk", [b"data: {\n\n", b"data: []\n\n", b'data: {"type":7}\n\n'])
def test_an_event_that_is_no_event_is_broken(junk):
    one = reader()
    assert one.feed(junk) == b""
    assert one.failure == UNREADABLE


def test_what_came_before_a_broken_event_is_given():
    one = reader()
    assert chunks(one.feed(event(START) + b"data: {\n\n"))
    assert one.failure == UNREADABLE


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"), [("max_tokens", "length"), ("refusal", "content_filter")]
)
def test_why_it_stopped(stop_reason, finish_reason):
    end = {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {}}
    assert (
        chunks(reader(False).feed(stream(START, end)))[-1].choices[0].finish_reason == finish_reason
    )


def test_counts_only_grow():
    one = reader()
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    one.feed(stream(START, {**end, "usage": {"input_tokens": 0, "output_tokens": 3}}))
    assert one.usage == Usage(input=10, output=3, cached_input=2)


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(TALK.split(b"\n\n")) | st.binary(max_size=20), max_size=12),
    st.integers(1, 50),
)
def test_any_stream_gives_whole_chunks_or_is_broken(events, size):
    one, given, text = reader(), b"", b"\n\n".join(events)
    try:
        for start in range(0, len(text), size):
            given += one.feed(text[start : start + size])
        given += one.finish()
    except Broken:
        pass
    assert not given or chunks(given) is not None

"""OpenAI chat requests in Anthropic's format, and its answers back in OpenAI's."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from providers.adapters.answers import Broken
from providers.adapters.anthropic import Anthropic
from providers.adapters.anthropic_request import UNSAID, Options
from providers.errors import BadRequest
from providers.values import Endpoint, Price, Route, Secret, Usage

ASKED = "claude"
USER = {"role": "user", "content": "Hi"}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def route(**endpoint):
    endpoint = Endpoint("anthropic", "Anthropic", "anthropic", "https://a.test/v1", **endpoint)
    return Route(endpoint, Secret(1, "one", "sk-1"), "m", ASKED, "claude-up", 1, Price())


def outgoing(stream=False, endpoint=None, **members):
    members.setdefault("messages", [USER])
    fields = msgspec.json.decode(json.dumps(members), type=dict[str, msgspec.Raw])
    return Anthropic().request(route(**(endpoint or {})), fields, stream)


def sent(**members):
    return json.loads(outgoing(**members).body)


def refused(**members):
    with pytest.raises(BadRequest) as caught:
        outgoing(**members)
    return caught.value.param


def test_the_request_goes_to_the_native_address_with_the_native_headers():
    request = outgoing(stream=True, model="claude", provider="anthropic")
    assert (request.method, request.url) == ("POST", "https://a.test/v1/messages")
    assert dict(request.headers) == {
        "content-type": "application/json",
        "x-api-key": "sk-1",
        "anthropic-version": "2023-06-01",
    }
    assert json.loads(request.body) == {
        "model": "claude-up",
        "stream": True,
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


def test_the_row_says_which_headers_it_wants():
    extra = (("anthropic-version", "2030-01-01"), ("anthropic-beta", "x"))
    request = outgoing(endpoint={"auth_header": "X-Key: k {key}", "headers": extra})
    headers = dict(request.headers)
    assert headers["X-Key"] == "k sk-1"
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2030-01-01", "x")
    assert "x-api-key" not in headers


def test_system_and_developer_messages_stand_apart():
    body = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            USER,
        ]
    )
    assert [block["text"] for block in body["system"]] == ["Be brief.", "Be kind."]
    assert len(body["messages"]) == 1


def test_images_are_sent_inline_or_by_address():
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://pictures.test/a.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}},
    ]
    png, url, pdf = sent(messages=[{"role": "user", "content": parts}])["messages"][0]["content"]
    base64 = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
    assert png == {"type": "image", "source": base64}
    assert url["source"] == {"type": "url", "url": "https://pictures.test/a.png"}
    assert (pdf["type"], pdf["source"]["media_type"]) == ("document", "application/pdf")


def test_tool_calls_and_their_results_take_turns():
    calls = [
        {"id": "f.a:0", "type": "function", "function": {"name": "a", "arguments": '{"n":12e400}'}},
        {"id": "call_b", "type": "function", "function": {"name": "b", "arguments": ""}},
    ]
    request = outgoing(
        messages=[
            USER,
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "f.a:0", "content": "one"},
            {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "2"}]},
            {"role": "user", "content": "Go on"},
        ]
    )
    assert b'"input":{"n":12e400}' in request.body
    _, uses, results = json.loads(request.body)["messages"]
    assert [(use["type"], use["id"]) for use in uses["content"]] == [
        ("tool_use", "f_a_0"),
        ("tool_use", "call_b"),
    ]
    assert uses["content"][1]["input"] == {}
    assert results == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "f_a_0", "content": "one"},
            {
                "type": "tool_result",
                "tool_use_id": "call_b",
                "content": [{"type": "text", "text": "2"}],
            },
            {"type": "text", "text": "Go on"},
        ],
    }


def test_one_speakers_messages_in_a_row_are_one_turn_and_empty_ones_none():
    turns = sent(
        messages=[
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": ""},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "It is  \n"},
        ]
    )["messages"]
    assert [(turn["role"], [block["text"] for block in turn["content"]]) for turn in turns] == [
        ("user", ["a", "b", "c"]),
        ("assistant", ["It is"]),
    ]


def test_cache_marks_are_kept():
    mark = {"cache_control": {"type": "ephemeral"}}
    body = sent(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "x", **mark}]},
            {"role": "user", "content": [{"type": "text", "text": "y", **mark}]},
        ],
        tools=[{**WEATHER, **mark}],
    )
    marked = [body["system"][0], body["messages"][0]["content"][0], body["tools"][0]]
    assert all(block["cache_control"] == {"type": "ephemeral"} for block in marked)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 7, "max_completion_tokens": 9}, {"max_tokens": 9}),
        ({"max_tokens": None}, {"max_tokens": 4096}),
        ({"temperature": 1.7}, {"temperature": 1}),
        ({"temperature": 0.3, "top_p": 1}, {"temperature": 0.3, "top_p": None}),
        ({"temperature": 1, "top_p": 0.5}, {"temperature": None, "top_p": 0.5}),
        ({"top_k": 5}, {"top_k": 5}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
        ({"n": 1, "seed": 3, "presence_penalty": 1, "logit_bias": {}}, {"seed": None}),
        ({"response_format": {"type": "text"}}, {"response_format": None}),
    ],
)
def test_parameters_are_translated(members, expected):
    body = sent(**members)
    assert {name: body.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            None,
            {"type": "tool", "name": "weather"},
        ),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
    ],
)
def test_the_choice_of_tools(choice, parallel, expected):
    body = sent(tools=[WEATHER], tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == expected
    assert body["tools"][0]["name"] == "weather"


def test_effort_becomes_a_thinking_budget_with_room_for_the_answer():
    body = sent(reasoning_effort="low", temperature=0.2)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert body["max_tokens"] == 4096 + 2048
    assert "temperature" not in body
    body = sent(reasoning_effort="high", max_tokens=4000)
    assert (body["thinking"]["budget_tokens"], body["max_tokens"]) == (3000, 4000)


@pytest.mark.parametrize(
    "members",
    [
        {"max_tokens": 1000},
        {"tools": [WEATHER], "tool_choice": "required"},
        {"messages": [USER, {"role": "tool", "tool_call_id": "x", "content": "1"}][1:]},
        {"messages": [USER, {"role": "assistant", "content": "So"}]},
        {"reasoning_effort": "none"},
    ],
)
def test_effort_is_passed_over_where_thinking_would_be_refused(members):
    assert "thinking" not in sent(**{"reasoning_effort": "high", **members})


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"functions": [{}]}, "functions"),
        ({"stop": ["\n"]}, "stop"),
        ({"temperature": "hot"}, "temperature"),
        ({"tools": [{"type": "custom", "function": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"function": {}}]}, "tools[0].function"),
        ({"tools": [WEATHER], "tool_choice": "sometimes"}, "tool_choice"),
        ({"reasoning_effort": "vast"}, "reasoning_effort"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "messages[0].content[0].image_url",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}],
                    }
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(members, param):
    assert refused(**members) == param


def test_what_the_row_drops_is_not_refused():
    endpoint = {"drop_params": frozenset({"logprobs", "temperature"})}
    assert "temperature" not in sent(endpoint=endpoint, logprobs=True, temperature=0.5)


def message(content, stop_reason="end_turn", **usage):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-up",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, **usage},
    }


def answered(body):
    answer = Anthropic().answer(json.dumps(body).encode(), ASKED)
    return ChatCompletion.model_validate(json.loads(answer.body), strict=True), answer


def test_an_answer_is_a_chat_completion():
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "Gu"},
        {"type": "text", "text": "ten Tag, é"},
    ]
    counts = {"cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}
    completion, answer = answered(message(content, **counts))
    assert (completion.model, completion.id) == (ASKED, "msg_1")
    choice = completion.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("stop", "Guten Tag, é")
    assert choice.message.reasoning_content == "Hm."
    assert answer.usage == Usage(input=10, output=5, cached_input=3, cache_write=4)
    assert completion.usage.total_tokens == 22
    assert completion.usage.prompt_tokens_details.cached_tokens == 3
    assert answer.text_bytes == len("Hm.Guten Tag, é".encode())


def test_tool_uses_become_tool_calls():
    use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}}
    choice = answered(message([use], "tool_use"))[0].choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    call = choice.message.tool_calls[0]
    assert (call.id, call.function.name) == ("toolu_1", "weather")
    assert json.loads(call.function.arguments) == {"city": "Bern"}


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        *(("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length")),
        *(("tool_use", "tool_calls"), ("refusal", "content_filter"), (None, "stop")),
    ],
)
def test_why_it_stopped(stop_reason, finish_reason):
    completion, _ = answered(message([], stop_reason))
    assert completion.choices[0].finish_reason == finish_reason


def test_an_answer_without_usage_leaves_it_open():
    body = message([{"type": "text", "text": "abc"}])
    del body["usage"]
    completion, answer = answered(body)
    assert completion.usage is answer.usage is None
    assert answer.text_bytes == 3


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"<html>", b"[]", b"null", b'{"type":"message"}', b"[" * 100_000),
        *(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', b"\xff"),
        b'{"type":"message","content":[{"type":"text","text":7}]}',
    ],
)
def test_what_is_no_message_is_broken(body):
    with pytest.raises(Broken):
        Anthropic().answer(body, ASKED)


NAMES = st.sampled_from(
    [
        *("role", "content", "type", "text", "function", "name", "arguments", "parameters", "url"),
        *(
            "tool_calls",
            "tool_call_id",
            "image_url",
            "id",
            "file",
            "cache_control",
            "budget_tokens",
        ),
    ]
)
WORDS = st.text(max_size=9) | st.sampled_from(
    ["user", "assistant", "tool", "text", "image_url", "function", "high", "{}", "\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
        optional={"content": WORDS | JSON, "tool_calls": JSON, "tool_call_id": WORDS},
    ),
    max_size=4,
)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from([*Options.__struct_fields__, *UNSAID]), JSON, max_size=6),
    MESSAGES | JSON,
)
def test_any_body_is_translated_or_refused(members, messages):
    fields = {
        name: msgspec.Raw(json.dumps(value).encode())
        for name, value in {**members, "messages": messages}.items()
    }
    try:
        request = Anthropic().request(route(), fields, False)
    except BadRequest:
        return
    turns = json.loads(request.body)["messages"]
    roles = [turn["role"] for turn in turns]
    assert all(a != b for a, b in pairwise(roles))
    assert all(turn["content"] for turn in turns)

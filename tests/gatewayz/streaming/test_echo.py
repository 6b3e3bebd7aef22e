"""The built-in provider answers a fresh gateway's first request, word by word and counted."""

import time

from tests.gatewayz.streaming.line import Line, ask
from tests.world.gateway import Gateway

WORDS = "The quick brown fox"


def said(**rest):
    return ask("echo", **rest) | {"messages": [{"role": "user", "content": WORDS}]}


def test_a_whole_answer(gateway: Gateway):
    with gateway.openai() as client:
        answer = client.chat.completions.create(**said(stream=False))
    assert answer.choices[0].message.content == WORDS
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "echo"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 4)


def test_a_stream_comes_word_by_word(gateway: Gateway):
    came = []
    with gateway.openai() as client:
        options = {"include_usage": True}
        for chunk in client.chat.completions.create(**said(stream_options=options)):
            came.append((time.monotonic(), chunk))
    words = [(at, chunk) for at, chunk in came if chunk.choices and chunk.choices[0].delta.content]
    assert [chunk.choices[0].delta.content for _, chunk in words] == [
        "The",
        *(" quick", " brown", " fox"),
    ]
    assert words[-1][0] - words[0][0] > 0.03
    assert {chunk.model for _, chunk in came} == {"echo"}
    last = came[-1][1]
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (4, 4)


def test_a_limit_cuts_it(gateway: Gateway):
    with gateway.openai() as client:
        answer = client.chat.completions.create(**said(stream=False, max_tokens=2))
    assert answer.choices[0].message.content == "The quick"
    assert answer.choices[0].finish_reason == "length"


def test_it_is_metered(line: Line):
    with line.opened("echo") as answer:
        answer.read()
    row = line.booked(answer.headers["x-request-id"])
    assert (row["outcome"], row["usage_source"]) == ("answered", "upstream")
    assert row["completion_tokens"] == 2

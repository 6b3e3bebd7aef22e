"""An error after the first byte is one event in the contract's shape, and the stream's last."""

import json

import openai
import pytest

from tests.gatewayz.streaming.line import Line, ask
from tests.upstreams.chat import Chat, event
from tests.upstreams.stream import Sse, Stream, together

TEXT = Chat("One two three four", usage=None)
OVERLOADED = {"error": {"message": "The engine is overloaded", "type": "server_error"}}
BROKEN_OFF = {
    "an error event": Stream(TEXT, stop_after=3, error=OVERLOADED, gap_s=0.05),
    "an error event, then silence": Stream(
        TEXT, stop_after=3, error=OVERLOADED, gap_s=0.05, then="silence"
    ),
    "an error in the packet of text": Sse(
        [
            event({"id": "1", "choices": [{"index": 0, "delta": {"content": "One"}}]}),
            event({"id": "1", "choices": [{"index": 0, "delta": {"content": " two"}}]})
            + event(OVERLOADED),
        ],
        gap_s=0.1,
    ),
    "the connection cut": Stream(TEXT, stop_after=3, gap_s=0.05, then="cut"),
    "the connection reset": Stream(TEXT, stop_after=3, gap_s=0.05, then="reset"),
}
MEMBERS = {"message", "type", "param", "code", "request_id", "metadata"}


@pytest.mark.parametrize("fault", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_the_last_event_tells_the_error(line: Line, fault: Stream):
    model = line.model(fault)
    with line.opened(model) as answer:
        body = answer.read()
        request_id = answer.headers["x-request-id"]
    *chunks, last = [json.loads(part[6:]) for part in body.decode().split("\n\n") if part]
    said = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    assert said == "One two"
    assert set(last) == {"error"}
    assert set(last["error"]) == MEMBERS
    assert last["error"]["code"] == "upstream_error"
    assert last["error"]["request_id"] == request_id
    assert last["error"]["metadata"]["provider"] == "line"
    assert line.up.url not in body.decode()
    [row] = line.usage(model)
    assert (row["outcome"], row["error_code"]) == ("failed", "upstream_error")
    assert row["request_id"] == request_id
    assert row["completion_tokens"] == 2  # seven bytes came


def test_the_openai_client_raises_it(line: Line):
    model = line.model(BROKEN_OFF["an error event"])
    said = []
    with line.gateway.openai() as client:
        stream = client.chat.completions.create(**ask(model))
        with pytest.raises(openai.APIError, match="overloaded"):
            said += [chunk.choices[0].delta.content for chunk in stream]


def test_an_error_that_comes_first_is_an_answer_of_its_own(line: Line):
    body = ask(line.model(Stream(TEXT, stop_after=0, error=OVERLOADED)))
    answer = line.gateway.http.post("/v1/chat/completions", json=body)
    assert answer.status_code >= 500
    assert answer.json()["error"]["code"] == "upstream_error"
    assert answer.headers["content-type"] == "application/json"


def test_what_follows_an_error_is_not_given(line: Line):
    late = Stream(TEXT, stop_after=3, error=OVERLOADED, gap_s=0.05)
    pieces = [*late.events(line.seen(warm(line))[0])[:2], event(OVERLOADED), *[event(OVERLOADED)]]
    body = line.stream(line.model(Sse([*pieces, b"data: [DONE]\n\n"], gap_s=0.05)))
    assert body.count(b'"error"') == 1
    assert b"[DONE]" not in body


def warm(line: Line) -> str:
    """Have one request seen, in whose shape events are made; return its model."""
    model = line.model(Stream(TEXT, cut=together))
    line.stream(model)
    return model

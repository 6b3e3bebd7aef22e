"""Nothing waits: a chunk leaves when it arrives, and a keep-alive does too."""

import json
import time
from itertools import pairwise
from statistics import median

from benchmarks import upstream as stamping
from providers.streams import PATIENCE_S
from tests.gatewayz.streaming.line import Line, ask, events, text
from tests.upstreams.chat import Chat, event
from tests.upstreams.stream import KEEP_ALIVE, Sse, Stream
from tests.world.gateway import Gateway

HI = event({"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi"}}]})
PROMPT_S = 1.0  # on a busy machine; what is held back comes never or much later


def test_a_chunk_leaves_within_five_milliseconds(gateway: Gateway):
    """The provider is a process of its own and says in each event when it left.

    Of three streams the quickest counts: a neighbour's test may take both processors for a while.
    """
    with stamping.streaming(chunks=60, gap_ms=10) as url:
        gateway.provider(url, ["acme/stamped"])
        delays = [delays_of_chunks(gateway) for _ in range(3)]
    assert [len(each) for each in delays] == [60, 60, 60]
    assert min(map(median, delays)) < 0.005


def delays_of_chunks(gateway: Gateway) -> list[float]:
    delays = []
    body = ask("acme/stamped")
    with gateway.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        for line in answer.iter_lines():
            if '"content"' in line:
                now = time.monotonic()
                chunk = json.loads(line.removeprefix("data: "))
                delays.append(now - float(chunk["choices"][0]["delta"]["content"]))
    return delays


def test_every_chunk_is_there_before_the_next_was_sent(line: Line):
    model = line.model(Stream(Chat("One two three four", usage=None), gap_s=0.2))
    came = []
    with line.opened(model) as answer:
        for _ in answer.iter_raw():
            came.append(time.monotonic())
    [seen] = line.seen(model)
    assert len(came) == len(seen.sent_at)
    assert all(at < after for at, (_, after) in zip(came, pairwise(seen.sent_at), strict=False))


def test_the_first_chunk_does_not_wait_for_the_second(line: Line):
    with line.opened(line.model(Sse([HI], then="silence"))) as answer:
        assert b"Hi" in next(answer.iter_raw())


def test_a_keep_alive_between_chunks_is_forwarded_at_once(line: Line):
    model = line.model(Sse([HI, KEEP_ALIVE, KEEP_ALIVE], gap_s=0.1, then="silence"))
    with line.opened(model) as answer:
        pieces = answer.iter_raw()
        came = [next(pieces) for _ in range(3)]
    assert [b": keep-alive" in piece for piece in came] == [False, True, True]


def test_half_a_line_holds_nothing_else_back(line: Line):
    model = line.model(Sse([HI, HI + HI[:20]], gap_s=0.1, then="silence"))
    with line.opened(model) as answer:
        pieces = answer.iter_raw()
        assert sum(next(pieces).count(b"Hi") for _ in range(2)) == 2


def test_keep_alives_reach_the_client_when_the_first_event_takes_long(line: Line):
    """Until then they are held back, so that another provider could still be asked."""
    seconds = PATIENCE_S + 1.5
    model = line.model(Stream(Chat("At last"), comments_only_s=seconds))
    began = time.monotonic()
    with line.opened(model) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        waited = time.monotonic() - began
        rest = b"".join(pieces)
    assert set(first.split(b"\n")) == {b": keep-alive", b""}
    assert PATIENCE_S - 0.1 <= waited < seconds
    assert rest.startswith(b": keep-alive")
    assert text(events(rest)) == "At last"


def test_a_slow_stream_keeps_no_other_waiting(line: Line):
    slow, quick = line.model(Sse([HI], then="silence")), line.model(Stream(Chat("Quick")))
    with line.opened(slow) as answer:
        next(answer.iter_raw())
        began = time.monotonic()
        assert text(events(line.stream(quick))) == "Quick"
        assert time.monotonic() - began < PROMPT_S

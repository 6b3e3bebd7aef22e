"""A client that leaves takes its request along: the provider is hung up on, the use is booked."""

import socket
import time

import pytest

from tests.gatewayz.faults import Begins
from tests.gatewayz.streaming.line import Line, ask, dialled, still
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat, event
from tests.upstreams.faults import Hang
from tests.upstreams.stream import Flood, Sse, Stream

WITHIN_S = 1.0
HI = event({"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi there"}}]})
BEFORE_THE_FIRST_CHUNK = {
    "before the head": (Hang(), True),
    "before the head of a whole answer": (Hang(), False),
    "in the middle of a whole answer": (Begins((b'{"id": "1", "choices"',)), False),
    "before the first event": (Sse([], then="silence"), True),
    "while comments come": (Stream(comments_only_s=60), True),
    "half an event": (Sse([HI[:30]], then="silence"), True),
}


@pytest.mark.parametrize(
    ("behaviour", "stream"), BEFORE_THE_FIRST_CHUNK.values(), ids=BEFORE_THE_FIRST_CHUNK
)
def test_leaving_before_the_first_chunk(line: Line, behaviour: Behaviour, stream: bool):
    model = line.model(behaviour)
    sock = dialled(line.gateway, ask(model, stream=stream))
    [seen] = line.seen(model)
    time.sleep(0.1)
    sock.close()
    left = time.monotonic()
    assert seen.wait_closed() - left < WITHIN_S
    [row] = line.usage(model)
    assert (row["outcome"], row["status"]) == ("cancelled", 499)
    assert row["usage_source"] == "estimated"
    assert row["prompt_tokens"] > 0
    assert row["completion_tokens"] == 0
    assert row["cost_nano"] == row["prompt_tokens"] * 500


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
def test_leaving_in_the_middle(line: Line, how: str):
    model = line.model(Sse([HI, HI, HI], gap_s=0.01, then="silence"))
    sock = dialled(line.gateway, ask(model))
    came = b""
    while came.count(b"Hi there") < 3:
        came += sock.recv(65536)
    leave(sock, how)
    left = time.monotonic()
    [seen] = line.seen(model)
    assert seen.wait_closed() - left < WITHIN_S
    [row] = line.usage(model)
    sock.close()
    assert (row["outcome"], row["status"]) == ("cancelled", 499)
    assert row["usage_source"] == "estimated"
    assert row["completion_tokens"] == 6  # 24 bytes
    assert row["first_byte_ms"] is not None


def leave(sock: socket.socket, how: str) -> None:
    if how == "half-close":
        sock.shutdown(socket.SHUT_WR)
        return
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()


def test_leaving_while_the_answer_is_not_read(line: Line):
    model = line.model(Flood())
    sock = dialled(line.gateway, ask(model))
    [seen] = line.seen(model)
    still(seen)
    sock.close()
    left = time.monotonic()
    assert seen.wait_closed() - left < WITHIN_S
    [row] = line.usage(model)
    assert row["outcome"] == "cancelled"
    assert row["completion_tokens"] > 10_000


def test_a_client_that_leaves_after_the_end_has_had_its_answer(line: Line):
    model = line.model(Stream(Chat("All of it")))
    with dialled(line.gateway, ask(model)) as sock:
        came = b""
        while b"[DONE]" not in came:
            came += sock.recv(65536)
    [row] = line.usage(model)
    assert row["outcome"] == "answered"
    assert row["usage_source"] == "upstream"


def test_a_client_that_leaves_before_anything_was_sent_is_charged_nothing(line: Line):
    """The provider accepts the connection and never answers the TLS handshake."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"https://127.0.0.1:{mute.getsockname()[1]}/v1"
        line.gateway.provider(url, ["acme/mute"], slug="mute")
        with dialled(line.gateway, ask("acme/mute")):
            mute.settimeout(10)
            accepted, _ = mute.accept()
            assert accepted.recv(1)
        [row] = line.usage("acme/mute")
        accepted.close()
    assert row["outcome"] == "cancelled"
    assert row["usage_source"] == "none"
    assert row["cost_nano"] == 0

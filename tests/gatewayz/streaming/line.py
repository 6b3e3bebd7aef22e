"""A provider behind the served gateway that behaves as each test says, and clients that stream."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.upstreams.behaviour import Behaviour
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway

MODELS = [f"acme/line-{number}" for number in range(80)]
QUESTION = "Say something."
DONE = b"data: [DONE]\n\n"


class Line:
    """Gives each test a model of its own, answered by the behaviour that it wants."""

    def __init__(self, gateway: Gateway, up: Upstream) -> None:
        self.gateway, self.up = gateway, up
        self._free = list(reversed(MODELS))

    def model(self, behaviour: Behaviour) -> str:
        name = self._free.pop()
        self.up.models[name] = behaviour
        return name

    def seen(self, model: str, count: int = 1) -> list[Seen]:
        """Wait until `count` requests for `model` have come to the provider."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            found = [seen for seen in self.up.requests if seen.model == model]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{count} requests for {model} did not come")

    def stream(self, model: str, **rest: Any) -> bytes:
        """Return the whole stream as it came."""
        with self.opened(model, **rest) as answer:
            return answer.read()

    @contextmanager
    def opened(self, model: str, **rest: Any) -> Iterator[httpx.Response]:
        """Open a stream; leaving the block is leaving the gateway."""
        with self.gateway.http.stream(
            "POST", "/v1/chat/completions", json=ask(model, **rest)
        ) as answer:
            assert answer.status_code == 200, answer.read()
            yield answer

    def usage(self, model: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` requests for `model` are booked; return their rows."""
        return self._rows("asked_model", model, count)

    def booked(self, request_id: str) -> dict[str, Any]:
        """Wait until a request is booked; return its row."""
        [row] = self._rows("request_id", request_id, 1)
        return row

    def _rows(self, column: str, value: str, count: int) -> list[dict[str, Any]]:
        sql = f"SELECT * FROM billing_usagerow WHERE {column} = ? ORDER BY id"
        until = time.monotonic() + 10
        while time.monotonic() < until:
            rows = self.gateway.rows(sql, value)
            if len(rows) >= count:
                assert len(rows) == count
                return rows
            time.sleep(0.05)
        raise AssertionError(f"{count} requests with {column} {value} were not booked")


def ask(model: str, **rest: Any) -> dict[str, Any]:
    """Return the body of a streamed request."""
    messages = [{"role": "user", "content": QUESTION}]
    return {"model": model, "messages": messages, "stream": True, **rest}


def events(body: bytes) -> list[Any]:
    """Return the events of a whole stream, which must be well formed and end with [DONE]."""
    assert body.endswith(DONE), body[-200:]
    lines = [line for line in body.decode().split("\n") if line and not line.startswith(":")]
    assert all(line.startswith("data: ") for line in lines), lines
    datas = [line.removeprefix("data: ") for line in lines]
    assert datas.count("[DONE]") == 1
    return [json.loads(data) for data in datas[:-1]]


def text(found: list[Any]) -> str:
    """Return what the chunks say, joined."""
    choices = [choice for chunk in found for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def dialled(gateway: Gateway, body: dict[str, Any], receive_bytes: int = 0) -> socket.socket:
    """Send a request on a socket of its own, whose receive buffer may be small."""
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {gateway.url}\r\n"
        f"authorization: Bearer {gateway.key}\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", gateway.port))
    sock.sendall(head.encode() + data)
    return sock


def still(seen: Seen) -> int:
    """Wait until the provider cannot write any more; return how much it could."""
    before = -1
    while seen.bytes_written != before:
        before = seen.bytes_written
        time.sleep(0.4)
    return before

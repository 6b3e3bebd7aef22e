"""Load of whole answers: 64 connections, the next request as soon as the last is answered."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from typing import cast

from benchmarks.measures import run
from benchmarks.peers import Aim, Target
from benchmarks.processors import cpu_s

CONNECTIONS = 64
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
BODY = json.dumps(
    {
        "model": "acme/fixed",
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "word " * 200},
        ],
        "temperature": 0.5,
        "max_tokens": 100,
    }
)
WRK = shutil.which("wrk")
SCRIPT = """
wrk.method = "{method}"
{headers}
wrk.body = [[{body}]]
"""


def cpu_per_request(target: Target, seconds: float) -> tuple[float, float, float]:
    """Return microseconds of the target's CPU per request, its helpers' too, and requests/s."""
    load(target.fixed, max(1.0, seconds / 4))
    before, began = spent_s(target), time.monotonic()
    count = load(target.fixed, seconds)
    after, took = spent_s(target), time.monotonic() - began
    own, helpers = ((now - then) / count * 1e6 for now, then in zip(after, before, strict=True))
    return own, helpers, count / took


def spent_s(target: Target) -> tuple[float, float]:
    return cpu_s(target.pid), sum(cpu_s(pid) for pid in target.helpers)


def load(
    aim: Aim, seconds: float, body: str = BODY, method: str = "POST", connections: int = CONNECTIONS
) -> int:
    """Keep the target busy; return how many requests it answered. RuntimeError if one failed."""
    if WRK is None:
        return run(closed_loop(aim, seconds, body, method, connections))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        headers = {**aim.headers, "content-type": "application/json"}
        lines = "\n".join(f"wrk.headers[{name!r}] = {value!r}" for name, value in headers.items())
        script.write(SCRIPT.format(method=method, headers=lines, body=body))
        script.flush()
        shape = ["-c", str(connections), "-t", "1", "-d", str(max(1, round(seconds)))]
        command = [WRK, *shape, "--timeout", "30", "-s", script.name, aim.url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{aim.url} did not answer every request:\n{said}")
    found = re.search(r"(\d+) requests in", said)
    if not found:
        raise RuntimeError(f"wrk said nothing that can be read:\n{said}")
    return int(found[1])


class Asker(asyncio.Protocol):
    """Asks again and again on one connection."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.buffer = b""
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not whole(self.buffer):
            return
        if not self.buffer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")):
            self.transport.abort()
            return
        self.answered += 1
        self.buffer = b""
        self.transport.write(self.request)


def whole(received: bytes) -> bool:
    """Whether an answer is complete, whichever way it tells its length."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    if length := LENGTH.search(head):
        return len(body) >= int(length[1])
    return head.startswith(b"HTTP/1.1 304") or body.endswith(b"0\r\n\r\n")


async def closed_loop(aim: Aim, seconds: float, body: str, method: str, connections: int) -> int:
    """Do what wrk does, at a higher price of our own."""
    request = aim.request(body, method)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Asker(request), *aim.place) for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    if any(transport.is_closing() for transport, _ in made):
        raise RuntimeError(f"{aim.url} did not answer every request")
    for transport, _ in made:
        transport.abort()
    return sum(asker.answered for _, asker in made)

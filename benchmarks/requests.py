"""Load of whole answers: 64 connections, the next request as soon as the last is answered."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from typing import cast
from urllib.parse import urlsplit

from benchmarks.processors import cpu_s
from benchmarks.targets import Target

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
wrk.method = "POST"
wrk.headers["authorization"] = "Bearer {key}"
wrk.headers["content-type"] = "application/json"
wrk.body = [[{body}]]
"""


def cpu_per_request(target: Target, seconds: float) -> tuple[float, float]:
    """Return microseconds of the target's CPU per request, and requests per second."""
    load(target, max(1.0, seconds / 4))
    before, began = cpu_s(target.pid), time.monotonic()
    count = load(target, seconds)
    spent, took = cpu_s(target.pid) - before, time.monotonic() - began
    return spent / count * 1e6, count / took


def load(target: Target, seconds: float) -> int:
    """Keep the target busy; return how many requests it answered. RuntimeError if one failed."""
    if WRK is None:
        return asyncio.run(closed_loop(target, seconds))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.format(key=target.key, body=BODY))
        script.flush()
        shape = ["-c", str(CONNECTIONS), "-t", "1", "-d", str(max(1, round(seconds)))]
        command = [WRK, *shape, "-s", script.name, target.fixed_url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"the {target.name} did not answer every request:\n{said}")
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
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.transport.abort()
            return
        self.answered += 1
        self.buffer = b""
        self.transport.write(self.request)


async def closed_loop(target: Target, seconds: float) -> int:
    """Do what wrk does, at a higher price of our own."""
    place = urlsplit(target.fixed_url)
    request = post(target, target.fixed_url, BODY)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Asker(request), place.hostname, place.port)
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(seconds)
    if any(transport.is_closing() for transport, _ in made):
        raise RuntimeError(f"the {target.name} did not answer every request")
    for transport, _ in made:
        transport.abort()
    return sum(asker.answered for _, asker in made)


def post(target: Target, url: str, body: str) -> bytes:
    """Return a request as it goes over the wire."""
    place = urlsplit(url)
    head = (
        f"POST {place.path} HTTP/1.1\r\nhost: {place.netloc}\r\n"
        f"authorization: Bearer {target.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()

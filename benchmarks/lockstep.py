"""Client and upstream in one thread, in step: nothing is sent before what came before has arrived.

So a gateway between them reads the same pieces in the same order every time, however slow it is.
"""

import json
import re
import select
import socket
from collections.abc import Mapping
from typing import Self

from benchmarks.chunks import HEAD, chunk, event, framed
from benchmarks.upstream import completion

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ANSWER_S = 60
PAD = "%09d"
LAST = event(chunk("", choices=[], usage={"prompt_tokens": 9, "completion_tokens": 9}))
LAST += framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Broken(RuntimeError):
    """Something else came than what must come next."""


class Upstream:
    """Speaks to the gateway on one kept connection, or a fresh one if the gateway makes one."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.connections: list[socket.socket] = []
        self.current: socket.socket | None = None

    def asked(self) -> None:
        """Wait for a whole request; what is sent from now on answers it."""
        received = b""
        while not whole(received):
            ready, _, _ = select.select([self.listener, *self.connections], [], [], ANSWER_S)
            if not ready:
                raise Broken(f"the gateway does not ask its upstream; so far {received!r}")
            for sock in ready:
                if sock is self.listener:
                    self.connections.append(tuned(sock.accept()[0]))
                elif piece := sock.recv(1 << 20):
                    self.current, received = sock, received + piece
                else:
                    self.connections.remove(sock)

    def send(self, data: bytes) -> None:
        if self.current is None:
            raise Broken("nobody has asked")
        self.current.sendall(data)

    def close(self) -> None:
        for sock in (self.listener, *self.connections):
            sock.close()


class Client:
    """Asks the gateway on one kept connection."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self.sock = tuned(socket.create_connection(address, ANSWER_S))
        self.sock.settimeout(ANSWER_S)
        self.key = key

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        lines = [f"{method} {path} HTTP/1.1", "host: gateway", f"authorization: Bearer {self.key}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        self.sock.sendall("\r\n".join(lines).encode() + body)

    def until(self, mark: bytes) -> bytes:
        """Return what came, up to a piece that has `mark`."""
        return self._read(lambda received: mark in received)

    def answer(self) -> bytes:
        """Return a whole answer that tells its length, or has none."""
        return self._read(whole)

    def _read(self, enough) -> bytes:
        received = b""
        while not enough(received):
            piece = self.sock.recv(1 << 20)
            if not piece:
                raise Broken(f"the gateway closed the connection after {received!r}")
            received += piece
        return received

    def close(self) -> None:
        self.sock.close()


class Pair:
    """Both sides of a gateway: each method is one exchange, which raises Broken if it fails."""

    def __init__(self, upstream: Upstream, client: Client) -> None:
        self.upstream, self.client = upstream, client
        body = completion().encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self.fixed = head.encode() + b"\r\n\r\n" + body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()

    def request(self, body: bytes) -> None:
        self._post(body)
        self.upstream.send(self.fixed)
        expect(self.client.answer(), b"HTTP/1.1 200")

    def opened(self, body: bytes) -> None:
        """Open a stream and pass a first chunk."""
        self._post(body)
        self.upstream.send(HEAD + event(chunk(PAD % 0)))
        expect(self.client.until((PAD % 0).encode()), b"HTTP/1.1 200")

    def chunk(self, number: int) -> None:
        content = PAD % number
        self.upstream.send(event(chunk(content)))
        self.client.until(content.encode())

    def ended(self) -> None:
        self.upstream.send(LAST)
        self.client.until(b"0\r\n\r\n")

    def _post(self, body: bytes) -> None:
        kind = {"content-type": "application/json"}
        self.client.send("POST", "/v1/chat/completions", body, kind)
        self.upstream.asked()

    def got(self, path: str, headers: Mapping[str, str], status: int) -> bytes:
        self.client.send("GET", path, b"", headers)
        return expect(self.client.answer(), f"HTTP/1.1 {status}".encode())

    def refused(self, key: str, body: bytes) -> None:
        """Ask with another key."""
        own, self.client.key = self.client.key, key
        self.client.send("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        self.client.key = own
        expect(self.client.answer(), b"HTTP/1.1 401")


def chat(stream: bool = False, words: int = 200) -> bytes:
    messages = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "word " * words},
    ]
    rest = {"stream": True} if stream else {}
    return json.dumps(
        {"model": "acme/chat", "messages": messages, "temperature": 0.5, "max_tokens": 100, **rest}
    ).encode()


def whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def expect(received: bytes, beginning: bytes) -> bytes:
    if not received.startswith(beginning):
        raise Broken(f"{received[:2000]!r} came, not {beginning!r}")
    return received


def tuned(sock: socket.socket) -> socket.socket:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock

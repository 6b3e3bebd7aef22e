"""A body that is too large is refused, however it comes, and costs no more than the limit."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx

from tests.gatewayz.refusals import error_of
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.processes import rss_bytes

MB = 2**20
BIG = 50 * MB
LIMIT = 20 * MB  # the default
PIECE = b"x" * 2**16
PATH = "/v1/chat/completions"
SPARE = 20 * MB


def test_50_mb_are_a_413(gateway: Gateway) -> None:
    error = error_of(gateway.http.post(PATH, content=b"x" * BIG), 413)
    assert error["code"] == "payload_too_large"
    assert str(LIMIT) in error["message"]


def test_50_mb_in_chunks_are_a_413(gateway: Gateway) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BIG // len(PIECE)):
            yield PIECE

    error_of(gateway.http.post(PATH, content=pieces()), 413)


def test_what_just_fits_is_read(gateway: Gateway) -> None:
    with Upstream() as up:
        model = unique("chat")
        gateway.provider(up, [model])
        before = b'{"model":"%b","messages":[{"role":"user","content":"' % model.encode()
        body = before + b"x" * (LIMIT - len(before) - 4) + b'"}]}'
        assert len(body) == LIMIT
        assert gateway.http.post(PATH, content=body).status_code == 200
        assert len(up.requests[0].body) > LIMIT - 100
        error_of(gateway.http.post(PATH, content=body + b" "), 413)


def test_memory_stays_bounded_while_many_send_too_much(gateway: Gateway) -> None:
    (pid,) = gateway.worker_pids()
    gateway.http.post(PATH, content=b"x" * BIG)
    before, most, stop = rss_bytes(pid), [0], threading.Event()

    def measure() -> None:
        while not stop.wait(0.005):
            most[0] = max(most[0], rss_bytes(pid))

    def send() -> None:
        httpx.post(gateway.url + PATH, content=b"x" * BIG, trust_env=False, timeout=30)

    meter = threading.Thread(target=measure)
    senders = [threading.Thread(target=send) for _ in range(3)]
    for thread in (meter, *senders):
        thread.start()
    for thread in senders:
        thread.join()
    stop.set()
    meter.join()
    assert most[0] - before < 3 * LIMIT + SPARE


def test_of_a_large_body_without_a_key_of_ours_nothing_is_kept(gateway: Gateway) -> None:
    """Strangers who stop before the end would hold memory for as long as they like."""
    (pid,) = gateway.worker_pids()
    before = rss_bytes(pid)
    made_up = gateway.key[:-4] + "0000"
    socks = []
    for token in ("", made_up) * 10:
        socks.append(raw(gateway, f"authorization: Bearer {token}\r\ncontent-length: {LIMIT}"))
        socks[-1].sendall(b"x" * (LIMIT - 1))
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert rss_bytes(pid) - before < 2 * LIMIT
        time.sleep(0.02)
    for sock in socks:
        sock.sendall(b"x")
        sock.settimeout(10)
        assert sock.recv(4096).startswith(b"HTTP/1.1 401 ")
        sock.close()


def test_a_raw_client_that_only_promises_much_is_left_waiting(gateway: Gateway) -> None:
    """Others are answered meanwhile, and its going away is no error."""
    with raw(gateway, f"content-length: {10**15}") as sock:
        sock.sendall(PIECE)
        assert gateway.http.get("/livez").status_code == 200
    assert gateway.http.get("/livez").status_code == 200


def test_a_raw_client_that_sends_for_ever_is_answered_in_the_end(gateway: Gateway) -> None:
    with raw(gateway, "transfer-encoding: chunked") as sock:
        sock.settimeout(20)
        chunk = b"100000\r\n" + b"x" * MB + b"\r\n"
        sent, until = 0, time.monotonic() + 20
        try:
            while time.monotonic() < until and sent < 50 * LIMIT:
                sock.sendall(chunk)
                sent += MB
        except (ConnectionError, TimeoutError):
            pass
        assert sent < 50 * LIMIT
    assert gateway.http.get("/livez").status_code == 200


def raw(gateway: Gateway, framing: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", gateway.port))
    head = f"POST {PATH} HTTP/1.1\r\nhost: gateway\r\n{framing}\r\n\r\n"
    sock.sendall(head.encode())
    return sock


def test_broken_framing_is_a_400(gateway: Gateway) -> None:
    for framing in (
        "content-length: -1",
        "content-length: abc",
        "content-length: 1\r\ncontent-length: 2",
        "transfer-encoding: chunked\r\n\r\nZZ",
    ):
        with raw(gateway, framing) as sock:
            sock.settimeout(10)
            assert sock.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert gateway.http.get("/livez").status_code == 200

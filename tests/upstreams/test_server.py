"""The upstreams keep their promises to the tests that use them."""

import ssl
import threading
import time

import httpx
import pytest
import trustme

from tests.upstreams.chat import Chat
from tests.upstreams.errors import Status, error, shapes
from tests.upstreams.faults import Hang
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Flood, Stream


def ask(up: Upstream, **fields: object) -> httpx.Response:
    return httpx.post(f"{up.url}/chat/completions", json={"model": "m", **fields}, trust_env=False)


def test_a_request_is_seen_whole(upstream):
    httpx.post(f"{upstream.url}/chat/completions", json={"model": "a/b"}, headers={"X-Some": "1"})
    (seen,) = upstream.wait_for(1)
    assert (seen.method, seen.path, seen.model) == ("POST", "/v1/chat/completions", "a/b")
    assert seen.headers["x-some"] == "1"
    assert seen.wait_answered() >= seen.at


def test_a_chunked_request_is_read(upstream):
    httpx.post(f"{upstream.url}/chat/completions", content=iter([b'{"model":', b'"m"}']))
    assert upstream.requests[0].json == {"model": "m"}


def test_a_script_runs_in_order_and_its_last_line_repeats(upstream):
    upstream.script([Status(429, {"error": "slow down"}, {"retry-after": "1"}), Chat("ok")])
    assert [ask(upstream).status_code for _ in range(3)] == [429, 200, 200]


def test_a_model_has_its_own_behaviour(upstream):
    upstream.models["down"] = error("openai", 500)
    assert ask(upstream, model="down").status_code == 500
    assert ask(upstream, model="up").json()["model"] == "up"


def test_a_path_has_its_own_behaviour(upstream):
    upstream.paths["/v1/models"] = Status(200, {"object": "list", "data": []})
    assert httpx.get(f"{upstream.url}/models?limit=5").json()["data"] == []


@pytest.mark.parametrize("token", ["Bearer wrong", ""])
def test_a_wrong_token_meets_the_providers_own_answer(upstream, token):
    upstream.token, upstream.unauthorized = "right", error("huggingface", 401)
    answer = httpx.post(f"{upstream.url}/x", json={}, headers={"authorization": token})
    assert answer.json() == {"error": "Invalid username or password."}
    right = httpx.post(f"{upstream.url}/x", json={}, headers={"authorization": "Bearer right"})
    assert right.status_code == 200


def test_connections_are_kept_alive(upstream):
    with httpx.Client(trust_env=False) as client:
        for _ in range(3):
            client.post(f"{upstream.url}/chat/completions", json={})
    assert upstream.connections == 1


def test_a_client_that_leaves_is_noticed(upstream):
    upstream.reply(Hang())
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{upstream.url}/chat/completions", json={}, timeout=0.2)
    left = time.monotonic()
    assert abs(upstream.wait_for(1)[0].wait_closed() - left) < 0.2


def test_a_client_that_leaves_a_stream_is_noticed(upstream):
    upstream.reply(Stream(stop_after=2, then="silence"))
    with httpx.stream("POST", f"{upstream.url}/chat/completions", json={"stream": True}) as answer:
        next(answer.iter_bytes())
    upstream.requests[0].wait_closed()


def test_a_slow_reader_slows_the_flood(upstream):
    upstream.reply(Flood())
    with httpx.stream("POST", f"{upstream.url}/chat/completions", json={}) as answer:
        next(answer.iter_raw())
        time.sleep(0.3)
        first = upstream.requests[0].bytes_written
        time.sleep(0.1)
        assert upstream.requests[0].bytes_written == first < 16 * 2**20


def test_many_clients_are_served_at_once(upstream):
    upstream.reply(Chat(delay_s=0.2))
    asking = [threading.Thread(target=ask, args=(upstream,)) for _ in range(8)]
    start = time.monotonic()
    [thread.start() for thread in asking]
    [thread.join() for thread in asking]
    assert time.monotonic() - start < 1.2


def test_an_upstream_speaks_tls():
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with Upstream(tls) as up:
        assert httpx.post(f"{up.url}/x", json={}, verify=trusting).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(up)


def test_an_upstream_that_stops_refuses(upstream):
    ask(upstream)
    upstream.stop()
    with pytest.raises(httpx.ConnectError):
        ask(upstream)


def test_a_mistake_in_a_behaviour_fails_the_test():
    up = Upstream().__enter__()
    up.checks = [lambda seen: 1 / 0]
    with pytest.raises(httpx.TransportError):
        ask(up)
    with pytest.raises(ZeroDivisionError):
        up.__exit__(None)


@pytest.mark.parametrize("provider", shapes())
def test_every_error_body_can_be_asked_for(provider):
    for row in shapes()[provider]:
        status = row["status"] if isinstance(row["status"], int) else 400
        if row["status"] != "in-stream" and row["status"] != "5xx":
            assert error(provider, status, row.get("name", "")).body == row["body"]

"""Paths, methods, headers and queries that make no sense get an answer in the contract's shape."""

import socket

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.world.gateway import Gateway

CHAT = "/v1/chat/completions"
GETS = ("/v1/models", "/v1/models/echo", "/health", "/livez", "/readyz")
NOWHERE = [
    "/v1",
    "/v1/",
    "/v1/nope",
    "/v1/chat",
    "/v1/chat/completions/",
    "/v1//models",
    "/V1/models",
    "/v1/%00",
    "/v1/%ff",
    "/v1/%0d%0aX-Evil:%201",
    "/v1/models/%0d%0aX-Evil:%201",
    "/v1/" + "x" * 20_000,
    "/health/hug/nope",
    "/readyzz",
    "/nope",
    "/%00",
    "//evil.example/v1/models",
    "/favicon.ico",
    "/static/nope.css",
    "/chat/completions",
]


@pytest.mark.parametrize("path", NOWHERE, ids=lambda path: path[:30])
def test_an_unknown_path_is_a_404(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST"):
        answer = gateway.http.request(method, gateway.url + path)
        assert "x-evil" not in answer.headers
        assert error_of(answer, 404)["code"] == "not_found"


@pytest.mark.parametrize("name", ["%ff", "%F0%9F%A4%96", "a%2Fb", "..%2f..", "%25", "a?b=%00"])
def test_an_unknown_model_is_a_404(gateway: Gateway, name: str) -> None:
    error = error_of(gateway.http.get(f"/v1/models/{name}"), 404)
    assert error["code"] == "model_not_found"


@pytest.mark.parametrize("name", ["%00", "x" * 20_000, "%E2%80%AE", "%20"], ids=lambda n: n[:9])
def test_what_cannot_be_a_models_name_is_a_400(gateway: Gateway, name: str) -> None:
    assert error_of(gateway.http.get(f"/v1/models/{name}"), 400)["param"] == "model"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_chat_takes_posts_alone(gateway: Gateway, method: str) -> None:
    answer = gateway.http.request(method, CHAT)
    assert error_of(answer, 405)["code"] == "method_not_allowed"
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("path", GETS)
def test_what_is_read_takes_no_posts(gateway: Gateway, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        answer = gateway.http.request(method, path, content=b"{}")
        assert error_of(answer, 405)["code"] == "method_not_allowed"
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", GETS)
def test_head_is_a_get_without_its_body(gateway: Gateway, path: str) -> None:
    answer = gateway.http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert gateway.http.head(CHAT).status_code == 405


@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
def test_options_describe(gateway: Gateway, path: str) -> None:
    answer = gateway.http.options(path)
    assert answer.status_code == 200
    assert answer.json()["description"]
    assert answer.headers["x-request-id"]


def test_a_method_that_http_does_not_have_is_a_400(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as sock:
        sock.sendall(b"BREW /v1/models HTTP/1.1\r\nhost: a\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=%00", "limit"),
        ("offset=x", "offset"),
        ("offset=-1", "offset"),
        ("gateway=no-such", "provider"),
        ("provider=%00", "provider"),
        ("gateway=" + "x" * 5000, "provider"),
        ("&".join(["a=1"] * 2000), None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_query_that_makes_no_sense_is_a_400(
    gateway: Gateway, query: str, param: str | None
) -> None:
    assert error_of(gateway.http.get(f"/v1/models?{query}"), 400)["param"] == param


@pytest.mark.parametrize("query", ["q=%00", "q=%ff%fe", "q=" + "x" * 9000, "nope=1", "&&=&", "%"])
def test_a_query_that_finds_nothing_is_no_error(gateway: Gateway, query: str) -> None:
    answer = gateway.http.get(f"/v1/models?{query}")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept", b"\xff"),
        ("accept", b"image/png"),
        ("accept", b"*/*;q=nonsense"),
        ("cookie", b"=;=;;\xff=\xff;" * 100),
        ("host", b"evil.example"),
        ("host", b"\xff\xfe"),
        ("host", b""),
        ("x-forwarded-proto", b"\xff"),
        ("x-http-method-override", b"DELETE"),
        ("x-request-id", b"a b\tc" * 100),
        ("content-type", b"\xff/\xff; charset=nonsense"),
        ("range", b"bytes=0-1"),
        ("expect", b"100-continue"),
        ("x-junk", b"x" * 30_000),
    ],
    ids=lambda value: str(value)[:25],
)
def test_odd_headers_change_nothing(gateway: Gateway, name: str, value: bytes) -> None:
    body = b'{"model": "echo", "messages": [{"role": "user", "content": "hi"}]}'
    headers = [(b"authorization", f"Bearer {gateway.key}".encode()), (name.encode(), value)]
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as client:
        answers = [
            client.get("/v1/models", headers=headers),
            client.post(CHAT, content=body, headers=headers),
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(answer.headers["x-request-id"].startswith("gen-") for answer in answers)


def test_a_browser_gets_pages(gateway: Gateway) -> None:
    page = {"accept": "text/html,application/xhtml+xml"}
    for path, status in (("/nope", 404), ("/v1/nope", 404), ("/v1/models", 200)):
        answer = gateway.http.get(path, headers=page)
        assert answer.status_code == status
        assert "text/html" in answer.headers["content-type"]


def test_a_broken_cookie_in_admin_is_no_500(gateway: Gateway) -> None:
    for cookie in (b"sessionid=\xff\xfenonsense", b"sessionid=" + b"x" * 9000, b"csrftoken=\xff"):
        answer = gateway.http.get("/admin/", headers=[(b"cookie", cookie)])
        assert answer.status_code < 500
    assert gateway.http.post("/admin/login/", data={"username": "a"}).status_code == 403

"""A node's role says which paths and processes it has."""

from collections.abc import Callable

import httpx

from tests.gatewayz.refusals import error_of
from tests.gatewayz.test_crash import running, wait_until
from tests.world.gateway import Gateway

CHAT = {"model": "echo", "messages": [{"role": "user", "content": "hi"}]}
PAGE = {"accept": "text/html"}


def get(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    return gateway.http.get(path, headers=headers)


def test_an_api_node_has_no_admin_and_no_worker(gateways: Callable[..., Gateway]) -> None:
    gateway = gateways(env={"GATEWAYZ_ROLE": "api"})
    assert gateway.http.post("/v1/chat/completions", json=CHAT).status_code == 200
    assert get(gateway, "/v1/models").json()["total"] >= 1
    assert get(gateway, "/v1/models", **PAGE).status_code == 200
    for path in ("/", "/admin/", "/admin/login/", "/admin/providers/provider/"):
        error_of(get(gateway, path), 404)
        assert get(gateway, path, **PAGE).status_code == 404
    assert running(gateway, "book_usage")
    assert not running(gateway, "run_worker")


def test_an_admin_node_takes_no_requests_for_models(gateways: Callable[..., Gateway]) -> None:
    gateway = gateways(env={"GATEWAYZ_ROLE": "admin", "GATEWAYZ_HTTPS_ONLY": "true"})
    error_of(gateway.http.post("/v1/chat/completions", json=CHAT), 404)
    login = get(gateway, "/admin/login/", **PAGE)
    assert login.status_code == 200
    assert "Secure" in login.headers["set-cookie"]
    assert get(gateway, "/health").json()["status"] == "ok"
    assert get(gateway, "/v1/models").json()["total"] >= 1
    wait_until(lambda: bool(running(gateway, "run_worker")))


def test_cookies_come_without_https_unless_the_operator_says_so(gateway: Gateway) -> None:
    cookie = get(gateway, "/admin/login/", **PAGE).headers["set-cookie"]
    assert "csrftoken=" in cookie
    assert "Secure" not in cookie

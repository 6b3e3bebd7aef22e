"""A browser gets a page on every path of the API, and can send a request from it."""

import httpx
import pytest

from tests.world.gateway import Gateway

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATHS = (
    "/v1/chat/completions",
    "/v1/models",
    "/v1/models/echo",
    "/v1/explain?model=echo",
    "/health",
    "/livez",
    "/readyz",
)


@pytest.fixture
def browser(gateway: Gateway) -> httpx.Client:
    return httpx.Client(base_url=gateway.url, headers=PAGE, timeout=20)


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_gets_a_page(gateway: Gateway, browser: httpx.Client, path: str) -> None:
    answer = browser.get(path, headers={"Authorization": f"Bearer {gateway.key}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Gatewayz" in answer.text
    assert 'id="api-key"' in answer.text


def test_the_chat_page_holds_an_example_to_send(browser: httpx.Client) -> None:
    page = browser.get("/v1/chat/completions").text
    assert "&quot;model&quot;: &quot;echo&quot;" in page
    assert "<code>provider</code>" in page


def test_a_chat_sent_from_the_page_is_answered_on_it(
    gateway: Gateway, browser: httpx.Client
) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "seen on a page"}]}
    signed = {"Authorization": f"Bearer {gateway.key}"}
    answer = browser.post("/v1/chat/completions", json=body, headers=signed)
    assert answer.status_code == 200
    assert answer.headers["X-Gatewayz-Provider"] == "echo"
    assert "seen on a page" in answer.text
    assert "HTTP 200 OK" in answer.text


def test_an_error_on_a_page_says_what_the_api_says(browser: httpx.Client) -> None:
    answer = browser.post("/v1/chat/completions", json={})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "invalid_api_key" in answer.text


def test_a_page_does_not_stream(gateway: Gateway, browser: httpx.Client) -> None:
    body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    signed = {"Authorization": f"Bearer {gateway.key}"}
    answer = browser.post("/v1/chat/completions", json=body, headers=signed)
    assert answer.status_code == 400
    assert "leave `stream` out" in answer.text


def test_what_the_page_needs_is_served(browser: httpx.Client) -> None:
    for path in ("/static/rest_framework/css/bootstrap.min.css", "/static/gatewayz/favicon.svg"):
        assert browser.get(path).status_code == 200


def test_a_program_gets_json(gateway: Gateway) -> None:
    for path in PATHS:
        answer = gateway.http.get(path)
        assert answer.headers["Content-Type"] in (
            "application/json",
            "application/json; charset=utf-8",
        )

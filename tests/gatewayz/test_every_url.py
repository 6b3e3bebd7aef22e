"""Somebody without a key and a session walks every URL that there is: neither data nor a 500."""

import re
from collections.abc import Iterator

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from billing.access.scopes import ENDPOINTS
from gatewayz.api.base import AsyncAPIView
from gatewayz.api.urls import inference, listings
from tests.world.gateway import Gateway
from tests.world.keys import issue, public_id

SAMPLES = {
    "app_label": "billing",
    "url": "x",
    "uidb64": "MQ",
    "token": "set-password",
    "name": "echo",
}
PART = re.compile(r"<(?:[a-z]+:)?(\w+)>")
GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
NONCAPTURING = re.compile(r"\(\?:([^|()]*)(?:\|[^()]*)?\)")
# What anyone may see, and pages that ask for a password or a key. Metrics name no customers, and
# want a token where the operator set one.
PUBLIC = re.compile(
    r"^/$|^/(livez|readyz|health|metrics)|^/v1/(models|gateways)|^/v1/chat/completions$"
    r"|^/admin/(login|logout|jsi18n|static)|^/account/(login|logout|set)/"
)


def walk(patterns: list, prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        path = prefix + route(pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield re.sub("//+", "/", path)


def route(pattern: URLPattern | URLResolver) -> str:
    """Return an address that the pattern takes."""
    text = str(pattern.pattern).removeprefix("^").rstrip("$\\Z")
    text = PART.sub(lambda found: SAMPLES.get(found.group(1), "1"), text)
    text = GROUP.sub(lambda found: SAMPLES.get(found.group(1), "1"), text)
    return NONCAPTURING.sub(r"\1", text).replace("\\", "").replace("?", "")


ADDRESSES = sorted(set(walk(get_resolver().url_patterns)))


def test_the_walk_finds_the_house() -> None:
    assert len(ADDRESSES) > 100
    for known in (
        "/v1/chat/completions",
        "/v1/models",
        "/v1/keys/1/rotate",
        "/account/1/keys/1/revoke/",
        "/admin/billing/account/",
        "/admin/billing/apikey/1/change/",
        "/health",
    ):
        assert known in ADDRESSES


@pytest.fixture(scope="module")
def secret(gateway: Gateway) -> str:
    """The id of a key whose name, account and money nobody without a key may see."""
    return public_id(issue(gateway, "zanzibar account", name="zanzibar key"))


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_nobody_gets_data_or_a_failure(gateway: Gateway, secret: str, accept: str) -> None:
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as nobody:
        nobody.headers["Accept"] = accept
        for path in ADDRESSES:
            for method in ("GET", "POST"):
                answer = nobody.request(method, path)
                told = f"{method} {path}: {answer.status_code}"
                assert answer.status_code < 500, told
                assert "zanzibar" not in answer.text, told
                assert secret not in answer.text, told
                if not PUBLIC.search(path):
                    assert answer.status_code in (301, 302, 401, 403, 404, 405), told
                    if answer.status_code in (301, 302):
                        assert "login" in answer.headers["location"], told


def test_every_view_that_costs_or_lists_names_its_endpoint() -> None:
    """A key's scopes hold where the view says what it is; /v1/key is for every key."""
    unscoped = {"Health", "Livez", "Readyz", "Metrics"}  # the last has a token of its own
    for pattern in (*inference, *listings):
        view = pattern.callback.view_class
        assert issubclass(view, AsyncAPIView)
        if view.__name__ not in unscoped:
            assert view.endpoint in ENDPOINTS, view

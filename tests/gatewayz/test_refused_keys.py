"""Who has no valid key gets one answer, whatever is wrong with the key, and as quickly."""

import statistics
import time
from decimal import Decimal

import httpx
import openai
import pytest

from tests.gatewayz.refusals import error_of
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

TRIES = 25
MAKE = """
from datetime import timedelta
from django.utils import timezone
from billing.ledger.credits import credit
from billing.models import Account, ApiKey, Plan
plan = Plan.objects.get(name="default")
good = Account.objects.create(name="{name} good", plan=plan)
credit(good, 10**9, "test", "test")
shut = Account.objects.create(name="{name} shut", plan=plan)
revoked, token = ApiKey.issue(good)
ApiKey.objects.filter(pk=revoked.pk).revoke()
print(token)
print(ApiKey.issue(good, expires_at=timezone.now() - timedelta(seconds=1))[1])
print(ApiKey.issue(shut)[1])
Account.objects.filter(pk=shut.pk).update(enabled=False)
"""


@pytest.fixture(scope="module")
def refused(gateway: Gateway) -> dict[str, dict[str, str]]:
    """Headers that bear no valid key, by what is wrong with them."""
    code = MAKE.format(name=unique("refused"))
    printed = gateway.manage("shell", "--no-imports", "-c", code).split()
    revoked, expired, disabled = (bearer(token) for token in printed)
    unknown = gateway.key[:-43] + "x" * 43
    return {
        "missing": {},
        "empty": {"authorization": ""},
        "no token": {"authorization": "Bearer"},
        "another scheme": {"authorization": "Basic dXNlcjpwYXNz"},
        "malformed": bearer("gwz_live_nope"),
        "cut": bearer(gateway.key[:-20]),
        "too long": bearer(gateway.key + "a" * 9000),
        "not ASCII": bearer("gwz_live_ключ"),
        "another's": bearer("sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"),
        "unknown": bearer(unknown),
        "unknown, x-api-key": {"x-api-key": unknown},
        "revoked": revoked,
        "expired": expired,
        "disabled": disabled,
    }


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def ask(gateway: Gateway, headers: dict[str, str], **body: object) -> httpx.Response:
    raw = {name: value.encode() for name, value in headers.items()}
    chat = {"model": "echo", "messages": [{"role": "user", "content": "hi"}]} | body
    url = f"{gateway.url}/v1/chat/completions"
    return httpx.post(url, json=chat, headers=raw, trust_env=False, timeout=30)


def test_all_get_the_same_401(gateway: Gateway, refused: dict[str, dict[str, str]]) -> None:
    bodies = set()
    for name, headers in refused.items():
        error = error_of(ask(gateway, headers), 401)
        assert error["code"] == "invalid_api_key", name
        bodies.add(tuple(str(value) for key, value in error.items() if key != "request_id"))
    assert len(bodies) == 1


def test_a_stream_is_refused_alike(gateway: Gateway, refused: dict[str, dict[str, str]]) -> None:
    for name in ("missing", "unknown", "revoked"):
        error_of(ask(gateway, refused[name], stream=True), 401)


def test_listings_do_not_take_a_wrong_key(
    gateway: Gateway, refused: dict[str, dict[str, str]]
) -> None:
    for name in ("unknown", "revoked", "expired", "disabled"):
        answer = httpx.get(f"{gateway.url}/v1/models", headers=refused[name], trust_env=False)
        error_of(answer, 401)


def test_the_time_does_not_tell_them_apart(
    gateway: Gateway, refused: dict[str, dict[str, str]]
) -> None:
    """Once each was looked up; the first time of a key asks the database, known or not."""
    names = ("unknown", "revoked", "expired", "disabled")
    took: dict[str, list[float]] = {name: [] for name in names}
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as client:
        for _ in range(TRIES):
            for name in names:
                began = time.perf_counter()
                client.post("/v1/chat/completions", json={}, headers=refused[name])
                took[name].append(time.perf_counter() - began)
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 2 * min(medians) + 0.002


def test_the_scheme_is_read_in_any_case_and_the_key_in_either_header(gateway: Gateway) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert ask(gateway, {"authorization": f"{scheme} {gateway.key}"}).status_code == 200
    assert ask(gateway, {"x-api-key": gateway.key}).status_code == 200


def test_openais_client_sees_an_authentication_error(gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        gateway.openai(api_key="sk-wrong").models.list()
    assert caught.value.code == "invalid_api_key"


def test_no_balance_is_a_402(gateway: Gateway, upstream: Upstream) -> None:
    model = unique("chat")
    gateway.provider(upstream, [model])
    token = gateway.manage("issue_key", "--account", unique("poor")).strip()
    error = error_of(ask(gateway, bearer(token), model=model), 402)
    assert error["code"] == "insufficient_credits"
    needed = f"{error['metadata']['needed']}"
    assert error["metadata"] == {"balance": "0.000000000", "held": "0.000000000", "needed": needed}
    assert Decimal(needed) > 0
    assert upstream.requests == []


def test_money_makes_the_same_key_work_within_a_second(gateway: Gateway) -> None:
    account = unique("topped-up")
    token = gateway.manage("issue_key", "--account", account).strip()
    assert ask(gateway, bearer(token)).status_code == 402
    gateway.manage("issue_key", "--account", account, "--credit", "1")
    until = time.monotonic() + 5
    while ask(gateway, bearer(token)).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.05)

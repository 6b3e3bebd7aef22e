"""What a key may, on a served gateway of four workers: exact, told, and changed within a second."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.gatewayz.limits.crowd import PATH, ask, body, crowd, key_on, public_id, shell, statuses
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.errors import error
from tests.upstreams.faults import Hang
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

WITHIN_S = 1.0


def soon(condition: Callable[[], bool], within_s: float = WITHIN_S) -> bool:
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("stream", [False, True])
def test_four_workers_admit_exactly_as_many_as_the_limit_says(four: Gateway, stream: bool) -> None:
    key = key_on(four, requests_per_minute=57)
    assert statuses(crowd([four], key, "echo", 200, stream=stream)) == {200: 57, 429: 143}
    assert statuses(crowd([four], key, "echo", 20, stream=stream)) == {429: 20}


def test_an_answer_tells_the_tightest_limit(four: Gateway) -> None:
    key = key_on(four, requests_per_minute=10, requests_per_day=1000, tokens_per_minute=50_000)
    answer = ask(four, key)
    assert answer.headers["RateLimit-Limit"] == "10"
    assert answer.headers["RateLimit-Remaining"] == "9"
    assert answer.headers["RateLimit-Reset"] == "60"
    policy = answer.headers["RateLimit-Policy"].split(", ")
    assert '10;w=60;unit="requests";scope="key"' in policy
    assert '1000;w=86400;unit="requests";scope="key"' in policy
    assert '50000;w=60;unit="tokens";scope="key"' in policy
    with httpx.stream(
        "POST",
        four.url + PATH,
        json=body("echo", stream=True),
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    ) as stream:
        assert stream.headers["RateLimit-Remaining"] == "8"


def test_a_refusal_names_the_limit_and_says_when_to_come_back(four: Gateway) -> None:
    key = key_on(four, requests_per_minute=1)
    ask(four, key)
    answer = ask(four, key)
    found = answer.json()["error"]
    assert (answer.status_code, found["code"]) == (429, "rate_limit_exceeded")
    assert found["metadata"] == {
        "scope": "key",
        "unit": "requests",
        "window": "minute",
        "limit": 1,
        "remaining": 0,
        "needed": 1,
    }
    assert 55 <= int(answer.headers["Retry-After"]) <= 61
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]
    assert answer.headers["RateLimit-Limit"] == "1"


def test_no_limit_tells_nothing(four: Gateway) -> None:
    answer = ask(four, key_on(four))
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_lists_and_health_are_not_counted(four: Gateway) -> None:
    key = key_on(four, requests_per_minute=1)
    bearer = {"Authorization": f"Bearer {key}"}
    for path in ("/v1/models", "/v1/gateways", "/health", "/v1/models/echo"):
        for _ in range(3):
            assert httpx.get(four.url + path, headers=bearer, trust_env=False).status_code == 200
    assert ask(four, key).status_code == 200


def test_a_refused_model_is_not_counted(four: Gateway) -> None:
    key = key_on(four, requests_per_minute=1)
    assert ask(four, key, "no-such-model").status_code == 404
    assert ask(four, key).status_code == 200


def test_a_request_is_counted_once_whatever_failover_does(four: Gateway) -> None:
    model, key = unique("chat"), key_on(four, requests_per_minute=2)
    with Upstream() as bad, Upstream() as good:
        bad.reply(error("openai", 500))
        four.provider(bad, [model], priority=1)
        four.provider(good, [model], priority=2)
        answers = [ask(four, key, model) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-Gatewayz-Attempts"] == "2"


def test_tokens_are_counted_as_the_provider_reports_them(four: Gateway, upstream: Upstream) -> None:
    model, key = unique("chat"), key_on(four, tokens_per_minute=1000)
    upstream.reply(Chat("Hello", usage=tokens(100, 850)))
    four.provider(upstream, [model])
    assert ask(four, key, model).status_code == 200
    again = ask(four, key, model)
    assert again.headers["RateLimit-Limit"] == "1000"
    assert 0 < int(again.headers["RateLimit-Remaining"]) < 50
    refused = ask(four, key, model)
    assert refused.status_code == 429
    assert refused.json()["error"]["metadata"]["unit"] == "tokens"


def test_tokens_of_a_request_that_was_never_sent_come_back(four: Gateway) -> None:
    model, key = unique("chat"), key_on(four, tokens_per_minute=1000)
    four.provider("http://127.0.0.1:1/v1", [model])
    long = [{"role": "user", "content": "x" * 3000}]
    found = [ask(four, key, model, messages=long).status_code for _ in range(4)]
    assert found == [502] * 4
    assert ask(four, key, messages=long).status_code == 200


def test_a_prompt_that_no_window_can_hold_is_told_so(four: Gateway) -> None:
    key = key_on(four, tokens_per_minute=10)
    answer = ask(four, key, messages=[{"role": "user", "content": "x" * 4000}])
    assert answer.status_code == 429
    assert "can never be admitted" in answer.json()["error"]["message"]


def test_no_more_run_at_once_than_the_limit_says(four: Gateway, upstream: Upstream) -> None:
    model, key = unique("chat"), key_on(four, concurrency=7)
    upstream.reply(Chat(delay_s=1.0))
    four.provider(upstream, [model])
    assert statuses(crowd([four], key, model, 60)) == {200: 7, 429: 53}
    upstream.reply(Chat(delay_s=0.05))
    assert statuses(crowd([four], key, model, 7, stream=True)) == {200: 7}
    found = statuses([ask(four, key, model) for _ in range(3)])
    assert found == {200: 3}


@pytest.mark.parametrize("stream", [False, True])
def test_clients_that_leave_free_their_slots(
    four: Gateway, upstream: Upstream, stream: bool
) -> None:
    model, key = unique("chat"), key_on(four, concurrency=5)
    four.provider(upstream, [model])
    for _ in range(4):
        upstream.reply(Hang())
        for _ in range(5):
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(
                    four.url + PATH,
                    json=body(model, stream),
                    headers={"Authorization": f"Bearer {key}"},
                    trust_env=False,
                    timeout=0.1,
                )
        upstream.reply(Chat())
        assert soon(lambda: ask(four, key, model).status_code == 200)
    assert soon(lambda: statuses(crowd([four], key, model, 5)) == {200: 5}, 10)


def test_failed_requests_free_their_slots(four: Gateway, upstream: Upstream) -> None:
    model, key = unique("chat"), key_on(four, concurrency=2)
    upstream.reply(error("openai", 400))
    four.provider(upstream, [model])
    assert {ask(four, key, model).status_code for _ in range(8)} == {400}


def test_the_slots_of_a_killed_worker_are_free_within_a_second(
    gateways: Callable[..., Gateway], upstream: Upstream
) -> None:
    gateway, model = gateways(workers=2), unique("chat")
    gateway.key = key_on(gateway, concurrency=1)
    upstream.reply(Hang())
    gateway.provider(upstream, [model])
    with line_per_worker(gateway) as lines, ThreadPoolExecutor(1) as thread:
        (pid, doomed), (_, survivor) = lines.items()
        held = thread.submit(doomed.post, PATH, json=body(model))
        upstream.wait_for(1)
        assert survivor.post(PATH, json=body("echo")).status_code == 429
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        assert soon(lambda: survivor.post(PATH, json=body("echo")).status_code == 200, 5)
        assert time.monotonic() - killed < WITHIN_S
        assert isinstance(held.exception(), httpx.TransportError)


def test_a_lower_limit_acts_within_a_second_on_every_worker_under_load(four: Gateway) -> None:
    key = key_on(four, requests_per_minute=100_000)
    crowd([four], key, "echo", 50)
    plan = "Plan.objects.filter(accounts__keys__public_id={!r}).update(requests_per_minute=50)"
    code = f"from billing.models import Plan; {plan}".format(public_id(key))
    four.manage("shell", "--no-imports", "-c", code)
    lowered = time.monotonic()
    while statuses(crowd([four], key, "echo", 20)) != {429: 20}:
        assert time.monotonic() - lowered < WITHIN_S


def test_rules_of_plan_account_and_key_apply_to_their_models(four: Gateway) -> None:
    name = unique("plan")
    rules = [
        {"amount": 3, "unit": "requests", "window": "minute", "per": "account", "models": "ech*"},
        {"amount": 0, "unit": "requests", "window": "hour", "models": "none/*"},
    ]
    four.apply({"version": 1, "plans": {name: {"limits": rules}}})
    account = unique("account")
    keys = [four.issue_key(account, "10", "--plan", name) for _ in range(2)]
    four.settle()
    assert [ask(four, keys[number % 2]).status_code for number in range(4)] == [200, 200, 200, 429]
    found = ask(four, keys[0]).json()["error"]
    assert found["metadata"]["scope"] == "account"
    assert found["metadata"]["models"] == "ech*"
    assert "requests of ech* in any minute" in found["message"]
    other = four.issue_key(unique("account"), "10", "--plan", name)
    assert ask(four, other).status_code == 200
    rule = (
        "from billing.limits.models import LimitRule; from billing.models import ApiKey;"
        "LimitRule.objects.create(key=ApiKey.objects.get(public_id={!r}), unit='requests',"
        " window='day', amount=1)"
    )
    shell(four, rule.format(public_id(other)))
    assert ask(four, other).status_code == 200  # counted from now on
    assert ask(four, other).json()["error"]["metadata"]["window"] == "day"


def test_a_credential_that_is_at_its_limit_is_passed_over(
    four: Gateway, upstream: Upstream
) -> None:
    model, key = unique("chat"), key_on(four)
    credentials = [
        {"value": "sk-first", "limits": {"requests_per_minute": 3}},
        {"value": "sk-second", "limits": {"tokens_per_minute": 60}},
    ]
    upstream.reply(Chat(usage=tokens(20, 20)))
    four.provider(upstream, [model], credentials=credentials)
    answers = [ask(four, key, model) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    secrets = [seen.headers["authorization"].rpartition("-")[2] for seen in upstream.requests]
    assert secrets == ["first"] * 3 + ["second"] * 2
    refused = answers[-1]
    assert refused.headers["X-RateLimit-Scope"] == "upstream"
    assert refused.json()["error"]["code"] == "upstream_rate_limited"
    assert int(refused.headers["Retry-After"]) > 30

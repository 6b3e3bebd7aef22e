"""A key's `limit` at /v1/keys: a budget that its manager sets, served by four workers."""

import time
from typing import Any

import pytest

from tests.gatewayz.limits.crowd import public_id
from tests.gatewayz.limits.spending import DOLLAR, asked, budget, priced
from tests.gatewayz.refusals import error_of
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.keys import Holder, issue

SHOWN = ("limit", "limit_remaining", "limit_reset")
LIVE_S = 1.0  # a change acts on every worker within


@pytest.fixture
def model(four: Gateway, upstream: Upstream) -> str:
    return priced(four, upstream)


@pytest.fixture(scope="module")
def manager(four: Gateway) -> Holder:
    return Holder(four, issue(four, unique("managed"), nano=1000 * DOLLAR, is_management=True))


def add(manager: Holder, **body: Any) -> tuple[str, str]:
    """Return a new key's path and the key itself."""
    answer = manager.http.post("/v1/keys", json={"name": "limited"} | body)
    assert answer.status_code == 201, answer.text
    return f"/v1/keys/{answer.json()['data']['hash']}", answer.json()["key"]


def shown(facts: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(facts[name] for name in SHOWN)


def change(manager: Holder, path: str, **body: Any) -> tuple[Any, ...]:
    answer = manager.http.patch(path, json=body)
    assert answer.status_code == 200, answer.text
    assert shown(manager.data(path)) == shown(answer.json()["data"])
    return shown(answer.json()["data"])


def budgets(gateway: Gateway) -> list[dict[str, Any]]:
    return gateway.rows("SELECT id, key_id, period, hard_nano, enabled FROM limits_budget")


def test_a_new_key_spends_no_more_than_its_limit(
    four: Gateway, manager: Holder, model: str
) -> None:
    path, token = add(manager, limit=1.5, limit_reset="monthly")
    told = (1.5, 1.5, "monthly")
    assert shown(manager.data(path)) == shown(Holder(four, token).data("/v1/key")) == told
    assert shown(manager.data("/v1/keys")[0]) == told
    assert asked(four, token, model, 8) == {200: 1, 402: 7}


def test_a_changed_limit_acts_within_a_second_on_every_worker(
    four: Gateway, manager: Holder, model: str
) -> None:
    path, token = add(manager, limit=100)
    assert asked(four, token, model, 8) == {200: 8}
    for limit, status in ((0.1, 402), (100, 200), (0, 402), (None, 200)):
        change(manager, path, limit=limit)
        time.sleep(LIVE_S)
        assert asked(four, token, model, 8) == {status: 8}, limit


def test_a_limit_counts_what_was_spent_and_another_reset_begins_anew(
    four: Gateway, manager: Holder, model: str
) -> None:
    path, token = add(manager)
    assert shown(manager.data(path)) == (None, None, None)
    assert asked(four, token, model) == {200: 1}
    until = time.monotonic() + 5
    while not manager.data(path)["usage"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    used = manager.data(path)["usage"]
    for reset in (None, "daily", "weekly", "monthly"):
        limit, left, told = change(manager, path, limit=2, limit_reset=reset)
        assert (limit, told) == (2, reset)
        assert left == pytest.approx(2 - used)
    assert change(manager, path, limit=3)[2] == "monthly", "only the limit was named"
    assert change(manager, path, limit_reset=None)[0] == 3, "only the reset was named"
    assert change(manager, path, name="other")[0] == 3
    assert change(manager, path, limit=None) == (None, None, None)
    identity = public_id(token)
    rows = four.rows(
        "SELECT b.id FROM limits_budget b JOIN billing_apikey k ON k.id = b.key_id"
        " WHERE k.public_id = ?",
        identity,
    )
    assert rows == []


def test_the_operators_budget_is_not_the_managers_to_raise(
    four: Gateway, manager: Holder, model: str
) -> None:
    path, token = add(manager)
    budget(four, token, DOLLAR // 10)
    before = budgets(four)
    assert change(manager, path, limit=500) == (0.1, 0.1, "daily")
    time.sleep(LIVE_S)
    assert asked(four, token, model, 8) == {402: 8}
    assert [row for row in budgets(four) if row in before] == before
    change(manager, path, limit=None)
    assert budgets(four) == before


def test_another_accounts_limit_is_out_of_reach(four: Gateway, manager: Holder) -> None:
    path, _ = add(manager, limit=1)
    stranger = Holder(four, issue(four, unique("stranger"), is_management=True))
    before = budgets(four)
    error_of(stranger.http.patch(path, json={"limit": 1000}), 404)
    assert budgets(four) == before


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ('{"limit": -1}', "limit"),
        ('{"limit": -1e-9}', "limit"),
        ('{"limit": 1e-10}', "limit"),
        ('{"limit": 1000000001}', "limit"),
        ('{"limit": 1e400}', "limit"),
        ('{"limit": 1e-999999}', "limit"),
        ('{"limit": 1e999999999999999999999}', "limit"),
        ('{"limit": "NaN"}', "limit"),
        ('{"limit": "sNaN"}', "limit"),
        ('{"limit": "-Infinity"}', "limit"),
        ('{"limit": "five"}', "limit"),
        ('{"limit": true}', "limit"),
        ('{"limit": [1]}', "limit"),
        ('{"limit": NaN}', None),
        ('{"limit": 1, "limit_reset": "hourly"}', "limit_reset"),
        ('{"limit": 1, "limit_reset": "month"}', "limit_reset"),
        ('{"limit": 1, "limit_reset": 7}', "limit_reset"),
        ('{"limit_reset": "daily"}', "limit_reset"),
        ('{"limit": null, "limit_reset": "daily"}', "limit_reset"),
    ],
)
def test_a_limit_that_makes_no_sense_changes_nothing(
    four: Gateway, manager: Holder, unlimited: str, body: str, param: str | None
) -> None:
    before = budgets(four), four.rows("SELECT count(*) AS n FROM billing_apikey")
    new = body.replace("{", '{"name": "x", ', 1)
    for answer in (
        manager.http.patch(unlimited, content=body),
        manager.http.post("/v1/keys", content=new),
    ):
        assert error_of(answer, 400)["param"] == param
    assert (budgets(four), four.rows("SELECT count(*) AS n FROM billing_apikey")) == before


@pytest.fixture(scope="module")
def unlimited(manager: Holder) -> str:
    return add(manager)[0]

"""Budgets on a served gateway of four workers: one for one request admits one, whatever comes."""

import time
from datetime import UTC, datetime

import pytest

from tests.gatewayz.limits.crowd import ask, key_on, public_id
from tests.gatewayz.limits.spending import DOLLAR, MOST, asked, budget, priced
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway


@pytest.fixture
def model(four: Gateway, upstream: Upstream) -> str:
    return priced(four, upstream, delay_s=0.2)


def test_a_refusal_names_the_budget(four: Gateway, model: str) -> None:
    key = key_on(four)
    budget(four, key, DOLLAR // 10, period="month")
    answer = ask(four, key, model, max_tokens=MOST)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (402, "insufficient_credits")
    said = error["metadata"]["budget"]
    assert (said["scope"], said["period"], said["limit"]) == ("key", "month", "0.1")
    assert said["left"] == "0.1"
    resets_at = datetime.fromisoformat(said["resets_at"])
    assert resets_at > datetime.now(UTC)
    assert (resets_at.day, resets_at.hour) == (1, 0)


def test_edges_are_noticed_once_each(four: Gateway, model: str) -> None:
    key = key_on(four)
    budget(four, key, 3 * DOLLAR, soft=DOLLAR)
    for _ in range(5):
        asked(four, key, model)
    found = noticed(four, key, 2)
    assert [row["edge"] for row in found] == ["soft", "hard"]
    assert DOLLAR <= found[0]["spent_nano"] <= found[1]["spent_nano"] <= 3 * DOLLAR


def noticed(gateway: Gateway, key: str, count: int) -> list[dict]:
    sql = (
        "SELECT edge, n.spent_nano FROM limits_budgetnotice n JOIN limits_budget b"
        " ON b.id = n.budget_id JOIN billing_apikey k ON k.id = b.key_id"
        " WHERE k.public_id = ? ORDER BY n.id"
    )
    until = time.monotonic() + 3
    while len(found := gateway.rows(sql, public_id(key))) < count and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_soft_edge_alone_refuses_nothing(four: Gateway, model: str) -> None:
    key = key_on(four)
    budget(four, key, None, soft=1)
    assert [asked(four, key, model) for _ in range(2)] == [{200: 1}] * 2
    assert [row["edge"] for row in noticed(four, key, 1)] == ["soft"]


def test_a_new_budget_counts_what_was_spent_before(four: Gateway, model: str) -> None:
    key = key_on(four)
    assert asked(four, key, model, 3) == {200: 3}
    until = time.monotonic() + 5
    sql = "SELECT COUNT(*) AS n FROM billing_usagerow WHERE key_id = ?"
    while four.rows(sql, public_id(key))[0]["n"] < 3:
        assert time.monotonic() < until
        time.sleep(0.05)
    budget(four, key, 3 * DOLLAR)
    assert asked(four, key, model) == {402: 1}
    budget(four, key, 9 * DOLLAR, period="total", scope="account")
    assert asked(four, key, model) == {402: 1}


def test_a_budget_survives_a_restart_and_the_loss_of_the_counters(
    gateways, upstream: Upstream
) -> None:
    gateway = gateways(workers=1)
    name, key = priced(gateway, upstream), key_on(gateway)
    budget(gateway, key, 2 * DOLLAR)
    assert asked(gateway, key, name) == {200: 1}
    assert asked(gateway, key, name) == {200: 1}
    gateway.stop()
    (gateway.folder / "limits" / "counters").unlink()
    gateway.start()
    assert asked(gateway, key, name) == {402: 1}

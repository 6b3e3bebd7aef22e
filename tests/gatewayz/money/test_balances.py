"""What an account gains or loses is known to every worker, on the next request."""

import time

import pytest

from tests.gatewayz.money.crowd import FREE, HOLD_NANO, Nodes

pytestmark = pytest.mark.timeout(120)


def test_a_top_up_acts_on_the_next_request_on_every_worker(nodes: Nodes) -> None:
    name, key = nodes.account(1)
    nodes.race(key, 1)
    assert set(nodes.everywhere(key)) == {402}
    nodes.first.manage("issue_key", "--account", name, "--credit", "1")
    assert set(nodes.everywhere(key)) == {200}


def test_a_spent_balance_acts_at_once_on_every_worker(nodes: Nodes) -> None:
    workers = sum(gateway.workers for gateway in nodes.gateways)
    _, key = nodes.account(2 * workers)
    assert nodes.everywhere(key) == [200] * workers
    nodes.race(key, workers)
    assert nodes.everywhere(key) == [402] * workers


def test_one_client_may_spend_to_the_last_hold_at_any_worker(nodes: Nodes) -> None:
    """Each request uses a little of its hold; the rest is there again when its answer is."""
    _, key = nodes.account(1)
    nodes.up.models["money/one"] = FREE
    for _ in range(3):
        assert set(nodes.everywhere(key)) == {200}
    nodes.up.models.pop("money/one")
    assert sorted(set(nodes.everywhere(key))) == [200, 402]


def test_money_that_is_taken_away_is_gone_within_a_second(nodes: Nodes) -> None:
    name, key = nodes.account(1000)
    nodes.up.models["money/one"] = FREE
    assert set(nodes.everywhere(key, max_tokens=20)) == {200}
    take = (
        "from billing.ledger.credits import credit; from billing.models import Account;"
        f"credit(Account.objects.get(name={name!r}), -{1000 * HOLD_NANO}, 'test', 'test')"
    )
    nodes.first.manage("shell", "-c", take)
    time.sleep(1)
    assert set(nodes.everywhere(key, max_tokens=20)) == {402}
    nodes.up.models.pop("money/one")
    nodes.check()

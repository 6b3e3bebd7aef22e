"""Requests that come at once spend what there is: not a hold more, and not one less."""

import time

import pytest

from tests.gatewayz.money.crowd import FREE, HOLD_NANO, Nodes, asked, statuses
from tests.world.lines import line_per_worker

CROWD = 200
ODD = 57

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("holds", [1, ODD])
@pytest.mark.parametrize(
    "how",
    [{}, {"stream": True}, {"model": "money/two"}, {"model": "money/two", "stream": True}],
    ids=["whole", "streams", "failovers", "streams that failed over"],
)
def test_as_many_are_answered_as_there_is_money_for(nodes: Nodes, holds: int, how: dict) -> None:
    _, key = nodes.account(holds)
    answers = nodes.race(key, CROWD, **how)
    assert statuses(answers) == {200: holds, 402: CROWD - holds}
    assert sum(answer.complete for answer in answers) == holds
    assert statuses(nodes.race(key, 8)) == {402: 8}
    settled(nodes, key)


def test_money_that_other_processes_have_idle_is_found(nodes: Nodes) -> None:
    """Requests that cost nothing leave each process with a slice of the money for 57."""
    name, key = nodes.account(ODD)
    nodes.up.models["money/one"] = FREE
    processes, until = sum(gateway.workers for gateway in nodes.gateways), time.monotonic() + 60
    while (row := idle(nodes, name))["n"] < processes:  # on a busy machine, not at the first try:
        assert time.monotonic() < until, row  # what is idle for long goes back
        for _ in range(2):
            assert set(nodes.everywhere(key, max_tokens=20)) == {200}
    nodes.up.models.pop("money/one")
    assert row["nano"] > HOLD_NANO / 2
    assert statuses(nodes.race(key, CROWD)) == {200: ODD, 402: CROWD - ODD}
    settled(nodes, key)


def test_one_worker_alone_finds_what_all_others_have_idle(nodes: Nodes) -> None:
    holds = 20
    _, key = nodes.account(holds)
    nodes.up.models["money/one"] = FREE
    assert set(nodes.everywhere(key, max_tokens=20)) == {200}
    nodes.up.models.pop("money/one")
    with line_per_worker(nodes.first) as lines:
        line = next(iter(lines.values()))
        assert [asked(line, key, "money/one") for _ in range(holds)] == [200] * holds
        assert asked(line, key, "money/one") == 402
    settled(nodes, key)


def idle(nodes: Nodes, account: str) -> dict[str, int]:
    """Return how many processes hold money of an account in reserve, and how much."""
    (row,) = nodes.first.rows(
        "SELECT COUNT(*) AS n, SUM(amount_nano) AS nano FROM leases_lease l"
        " JOIN billing_account a ON a.id = l.account_id WHERE a.name = ? AND spare",
        account,
    )
    return row


def settled(nodes: Nodes, key: str) -> None:
    """The account ends at nothing, and nothing of it is held."""
    public_id = key.split("_")[2]
    sql = (
        "SELECT balance_nano, held_nano FROM billing_account a"
        " JOIN billing_apikey k ON k.account_id = a.id WHERE k.public_id = ?"
    )
    until = time.monotonic() + 10
    while (row := nodes.first.rows(sql, public_id)[0]) != {"balance_nano": 0, "held_nano": 0}:
        assert time.monotonic() < until, row
        time.sleep(0.05)
    nodes.check()

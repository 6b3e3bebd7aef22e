"""Budgets as values: periods, and holds that never pass the edge."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.limits.counters import Allowance
from billing.limits.counting import Refused, Taken
from billing.limits.periods import NEVER, period_of
from billing.limits.values import Budget
from tests.billing.limits.bench import NOON_S, Desk


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("day", "2028-02-29", "2028-03-01"),
        ("week", "2028-02-28", "2028-03-06"),
        ("month", "2028-02-01", "2028-03-01"),
    ],
)
def test_periods_follow_the_calendar(period: str, begin: str, end: str) -> None:
    for moment in ("2028-02-29T00:00:00", "2028-02-29T12:00:00", "2028-02-29T23:59:59"):
        assert period_of(period, seconds(moment)) == (seconds(begin), seconds(end))
    assert period_of(period, seconds(end))[0] == seconds(end)


def test_a_year_ends_in_every_period() -> None:
    last = seconds("2026-12-31T23:59:59")
    assert period_of("month", last)[1] == seconds("2027-01-01")
    assert period_of("total", last) == (0, NEVER)


def allowance_of(desk: Desk, hard: int | None, period: str = "day") -> Allowance:
    allowance = Allowance(Budget(1, "key", period, None, hard))
    begin, _ = period_of(period, NOON_S + desk.at_s)
    desk.counting.know_spent(allowance, begin, 0, desk.now_ms)
    return allowance


def take(desk: Desk, allowance: Allowance, nano: int) -> Taken | Refused:
    return desk.counting.take((), (allowance,), (1, 0, 1, nano), desk.now_ms)


ACTIONS = st.lists(st.tuples(st.booleans(), st.integers(0, 50), st.integers(0, 50)), max_size=80)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), ACTIONS)
def test_holds_and_costs_never_pass_the_edge(hard: int, actions: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        allowance = allowance_of(desk, hard)
        spent, held = 0, []
        for begins, number, part in actions:
            if begins:
                free = hard - spent - sum(taken.needs[3] for taken in held)
                found = take(desk, allowance, number)
                assert isinstance(found, Taken) is (number <= free)
                held += [found] if isinstance(found, Taken) else []
            elif held:
                taken = held.pop(number % len(held))
                cost = min(part, taken.needs[3])
                desk.counting.end(taken, 0, cost, desk.now_ms)
                spent += cost
            assert spent <= hard
        desk.close()


def test_a_budget_that_nobody_has_looked_up_admits_nothing(desk: Desk) -> None:
    refused = take(desk, Allowance(Budget(1, "key", "day", None, 100)), 1)
    assert isinstance(refused, Refused)
    assert refused.left == -1


def test_a_new_period_begins_with_nothing_spent(desk: Desk) -> None:
    allowance = allowance_of(desk, 100)
    taken = take(desk, allowance, 100)
    assert isinstance(taken, Taken)
    desk.counting.end(taken, 0, 100, desk.now_ms)
    assert isinstance(take(desk, allowance, 1), Refused)
    desk.at_s = 86400.0
    assert isinstance(take(desk, allowance, 100), Taken)


def test_what_began_in_a_period_is_spent_in_it(desk: Desk) -> None:
    allowance = allowance_of(desk, 100)
    taken = take(desk, allowance, 100)
    assert isinstance(taken, Taken)
    desk.at_s = 86400.0
    again = take(desk, allowance, 0)
    assert isinstance(again, Taken)
    desk.counting.end(taken, 0, 100, desk.now_ms)
    assert isinstance(take(desk, allowance, 100), Taken)


def test_a_cost_above_the_hold_is_spent_all_the_same(desk: Desk) -> None:
    allowance = allowance_of(desk, 100)
    taken = take(desk, allowance, 10)
    assert isinstance(taken, Taken)
    desk.counting.end(taken, 0, 150, desk.now_ms)
    assert isinstance(take(desk, allowance, 1), Refused)
    assert isinstance(take(desk, allowance, 0), Taken)


def test_the_database_only_raises_what_is_known_to_be_spent(desk: Desk) -> None:
    allowance = allowance_of(desk, 100)
    begin, _ = period_of("day", NOON_S)
    for told, free in ((60, 40), (20, 40), (90, 10)):
        desk.counting.know_spent(allowance, begin, told, desk.now_ms)
        refused = take(desk, allowance, 101)
        assert isinstance(refused, Refused)
        assert refused.left == free

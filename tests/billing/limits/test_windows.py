"""Windows, as values: any order of requests gives what a plain log of them gives."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.limits.counters import Counter
from billing.limits.counting import Refused, Taken
from tests.billing.limits.bench import Desk, limit

STEP_S = 0.6  # of a minute
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["take", "settle", "release", "wait"]),
        st.integers(0, 40),  # tokens, or which request, or tenths of seconds
        st.integers(0, 60),
    ),
    max_size=120,
)


class Log:
    """The model: every use with its time; uses of one step of the window are forgotten together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.uses: list[tuple[float, int]] = []

    def held(self, at_s: float) -> int:
        step = round(at_s * 10) // 6
        return sum(amount for when, amount in self.uses if round(when * 10) // 6 >= step - 100)

    def add(self, at_s: float, amount: int) -> None:
        self.uses.append((at_s, amount))

    def most_in_a_window(self) -> int:
        return max(
            (
                sum(amount for when, amount in self.uses if end - 60 < when <= end)
                for end, _ in self.uses
            ),
            default=0,
        )


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_any_order_of_requests_gives_what_a_log_of_them_gives(
    actions: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        requests, tokens = Log(12), Log(100)
        counters = [Counter(limit("requests", 12)), Counter(limit("tokens", 100))]
        under_way: list[tuple[Taken, float]] = []
        for action, number, more in actions:
            if action == "wait":
                desk.at_s = round(desk.at_s + number * more / 10, 1)
            elif action == "take":
                found = desk.take(counters, number)
                free = requests.held(desk.at_s) < 12 and tokens.held(desk.at_s) + number <= 100
                assert isinstance(found, Taken) is free
                if isinstance(found, Taken):
                    under_way.append((found, desk.at_s))
                    requests.add(desk.at_s, 1)
                    tokens.add(desk.at_s, number)
            elif under_way:
                taken, when = under_way.pop(number % len(under_way))
                real = more if action == "settle" else 0
                desk.end(taken, real)
                over = real - taken.needs[1]
                if over > 0:
                    tokens.add(desk.at_s, over)
                else:
                    tokens.add(when, over)
        assert requests.most_in_a_window() <= 12
        desk.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=20, max_size=200), st.integers(1, 20))
def test_no_window_ever_holds_more_than_its_limit(gaps: list[int], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk, log = Desk(Path(folder)), Log(most)
        counter = Counter(limit("requests", most))
        for gap in gaps:
            desk.at_s = round(desk.at_s + gap / 10, 1)
            if isinstance(desk.take([counter]), Taken):
                log.add(desk.at_s, 1)
        assert log.most_in_a_window() <= most
        desk.close()


def test_a_use_is_forgotten_a_hundredth_of_the_window_late_at_most(desk: Desk) -> None:
    counter = Counter(limit("requests", 1))
    desk.at_s = 0.3
    assert isinstance(desk.take([counter]), Taken)
    desk.at_s = 60.3
    assert isinstance(desk.take([counter]), Refused)
    desk.at_s = 60.6
    assert isinstance(desk.take([counter]), Taken)


@pytest.mark.parametrize(("window", "seconds"), [("minute", 60), ("hour", 3600), ("day", 86400)])
def test_a_full_load_gets_a_hundredth_less_than_the_limit_at_worst(
    desk: Desk, window: str, seconds: int
) -> None:
    counter = Counter(limit("requests", 500, window))
    taken = 0
    for _ in range(5000):  # five windows, twice what the limit allows
        desk.at_s += seconds / 1000
        taken += isinstance(desk.take([counter]), Taken)
    assert 0.985 * 2500 <= taken <= 2500


def test_the_wait_that_is_told_is_the_wait_that_is_needed(desk: Desk) -> None:
    counter = Counter(limit("requests", 3))
    for at_s in (0, 10, 20):
        desk.at_s = at_s
        assert isinstance(desk.take([counter]), Taken)
    desk.at_s = 30.0
    refused = desk.take([counter])
    assert isinstance(refused, Refused)
    desk.at_s += refused.wait_ms / 1000 - 0.002
    assert isinstance(desk.take([counter]), Refused)
    desk.at_s += 0.002
    assert isinstance(desk.take([counter]), Taken)


def test_tokens_wait_until_enough_of_them_are_forgotten(desk: Desk) -> None:
    counter = Counter(limit("tokens", 100))
    for at_s, tokens in ((0, 10), (20, 60), (40, 30)):
        desk.at_s = at_s
        assert isinstance(desk.take([counter], tokens), Taken)
    refused = desk.take([counter], 50)
    assert isinstance(refused, Refused)
    assert refused.wait_ms / 1000 == pytest.approx(60.6 - 20, abs=0.6)


def test_zero_allows_nothing(desk: Desk) -> None:
    for unit in ("requests", "tokens", "concurrency"):
        assert isinstance(desk.take([Counter(limit(unit, 0))]), Refused)


def test_a_refusal_counts_nowhere(desk: Desk) -> None:
    wide, narrow = Counter(limit("requests", 5)), Counter(limit("requests", 1))
    results = [isinstance(desk.take([wide, narrow]), Taken) for _ in range(20)]
    assert results == [True] + [False] * 19
    assert [isinstance(desk.take([wide]), Taken) for _ in range(5)] == [True] * 4 + [False]


def test_tokens_of_what_was_never_sent_come_back_and_the_request_stays(desk: Desk) -> None:
    requests, tokens = Counter(limit("requests", 9)), Counter(limit("tokens", 100))
    taken = desk.take([requests, tokens], 100)
    assert isinstance(taken, Taken)
    desk.end(taken, 0)
    assert isinstance(desk.take([tokens], 100), Taken)
    left = [isinstance(desk.take([requests]), Taken) for _ in range(9)]
    assert left == [True] * 8 + [False]


def test_more_tokens_than_estimated_count_from_their_end_on(desk: Desk) -> None:
    counter = Counter(limit("tokens", 100))
    taken = desk.take([counter], 10)
    assert isinstance(taken, Taken)
    desk.at_s = 50.0
    desk.end(taken, 500)
    assert isinstance(desk.take([counter], 1), Refused)
    desk.at_s = 109.0
    assert isinstance(desk.take([counter], 1), Refused)
    desk.at_s = 111.0
    assert isinstance(desk.take([counter], 100), Taken)


def test_what_is_held_at_once_is_free_after_each_end(desk: Desk) -> None:
    counter = Counter(limit("concurrency", 2))
    first, second = desk.take([counter]), desk.take([counter])
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    assert isinstance(desk.take([counter]), Refused)
    desk.end(first)
    assert isinstance(desk.take([counter]), Taken)
    assert isinstance(desk.take([counter]), Refused)


def test_a_lower_limit_counts_what_the_higher_one_admitted(desk: Desk) -> None:
    high = limit("requests", 10, name="k:requests")
    for _ in range(5):
        assert isinstance(desk.take([Counter(high)]), Taken)
    assert isinstance(desk.take([Counter(limit("requests", 5, name="k:requests"))]), Refused)
    assert isinstance(desk.take([Counter(high)]), Taken)


def test_a_clock_that_goes_back_neither_frees_nor_locks(desk: Desk) -> None:
    counter = Counter(limit("requests", 2))
    desk.at_s = 100.0
    assert isinstance(desk.take([counter]), Taken)
    desk.at_s = 90.0
    assert isinstance(desk.take([counter]), Taken)
    assert isinstance(desk.take([counter]), Refused)
    desk.at_s = -10_000.0
    assert isinstance(desk.take([counter]), Taken)

"""Histograms are right within ten per cent, and add up."""

import random
from datetime import UTC, datetime

import pytest

from catalog.evidence.tallies import Tally, differs, percentile, window
from catalog.evidence.verdicts import NOT_FOUND, OK, SOFT, TRAFFIC, Finding

NOON = datetime(2031, 1, 2, 12, tzinfo=UTC)


def found(outcome: str = OK, **more: object) -> Finding:
    return Finding(1, NOON, TRAFFIC, outcome, **more)


def tally(*findings: Finding) -> Tally:
    total = Tally()
    for finding in findings:
        total.count(finding)
    return total


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_percentile_is_right_within_ten_per_cent(share: float) -> None:
    chance = random.Random(7)
    times = sorted(int(chance.lognormvariate(6, 1)) for _ in range(5000))
    counted = tally(*(found(latency_ms=time) for time in times))
    exact = times[int(share * len(times))]
    assert percentile(counted.latency, share) == pytest.approx(exact, rel=0.1)


def test_a_window_adds_up_its_minutes() -> None:
    one = tally(found(latency_ms=100, tokens=50, token_ms=500), found(SOFT))
    two = tally(found(latency_ms=900, first_byte_ms=80), found(NOT_FOUND))
    told = window([one, two])
    assert (told.requests, told.success_rate) == (4, 0.5)
    assert told.p50_ms == pytest.approx(100, rel=0.1)
    assert told.p95_ms == pytest.approx(900, rel=0.1)
    assert told.first_token_ms == pytest.approx(80, rel=0.1)
    assert told.tokens_per_second == 100


def test_a_requests_own_mistake_lowers_no_rate() -> None:
    told = window([tally(found(latency_ms=5), found(SOFT, faultless=True))])
    assert (told.requests, told.success_rate) == (2, 1.0)


def test_nothing_tells_nothing() -> None:
    told = window([])
    assert (told.requests, told.success_rate, told.p50_ms) == (0, None, None)
    assert told.tokens_per_second is None


def test_only_a_fifth_is_news() -> None:
    assert not differs(100, 119)
    assert differs(100, 121)
    assert differs(100, 79)
    assert differs(None, 1)
    assert differs(1, None)
    assert not differs(None, None)

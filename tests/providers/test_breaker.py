"""What the breaker remembers, second by second."""

from dataclasses import dataclass, replace

import pytest

from providers.breaker import FIRST_S, LONGEST_S, OPENS_AFTER, SECRET_S, Breaker
from providers.failures import KINDS, Failure
from providers.values import Route, Secret
from tests.providers.routes import route

A, B = route("a", 1, 1), route("b", 2, 2)
DOWN = Failure(KINDS["overloaded"], "down")
LIMITED = Failure(KINDS["rate_limited"], "slow down", 429, retry_after_s=7)
REFUSED = Failure(KINDS["secret_refused"], "no", 401)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def order(breaker: Breaker, *routes: Route) -> list[Route]:
    return list(breaker.order(routes))


def fail(breaker: Breaker, which: Route, times: int = OPENS_AFTER, how: Failure = DOWN) -> None:
    for _ in range(times):
        breaker.judge(which, how)


def test_what_never_failed_keeps_its_order(breaker: Breaker) -> None:
    assert order(breaker, A, B) == [A, B]


def test_four_failures_change_nothing_and_the_fifth_puts_the_offer_last(breaker: Breaker) -> None:
    fail(breaker, A, OPENS_AFTER - 1)
    assert order(breaker, A, B) == [A, B]
    fail(breaker, A, 1)
    assert order(breaker, A, B) == [B, A]


def test_a_success_in_between_starts_the_count_afresh(breaker: Breaker) -> None:
    fail(breaker, A, OPENS_AFTER - 1)
    breaker.succeeded(A)
    fail(breaker, A, OPENS_AFTER - 1)
    assert order(breaker, A, B) == [A, B]


def test_a_success_clears_an_open_circuit(breaker: Breaker) -> None:
    fail(breaker, A)
    breaker.succeeded(A)
    assert order(breaker, A, B) == [A, B]


def test_an_open_circuit_closes_by_time(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, A)
    clock.now += FIRST_S - 0.01
    assert order(breaker, A, B) == [B, A]
    clock.now += 0.02
    assert order(breaker, A, B) == [A, B]


def test_each_further_pause_is_twice_as_long_up_to_a_limit(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, A, OPENS_AFTER - 1)
    expected = FIRST_S
    for _ in range(8):
        fail(breaker, A, 1)
        clock.now += expected - 0.01
        assert order(breaker, A, B) == [B, A]
        clock.now += 0.02
        assert order(breaker, A, B) == [A, B]
        expected = min(expected * 2, LONGEST_S)
    assert expected == LONGEST_S


def test_failures_of_requests_under_way_together_do_not_prolong_the_pause(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, A, OPENS_AFTER + 50)
    clock.now += FIRST_S + 0.01
    assert order(breaker, A, B) == [A, B]


def test_an_offer_that_fails_does_not_put_its_providers_other_offers_last(
    breaker: Breaker,
) -> None:
    other = replace(A, offer_id=9)
    fail(breaker, A)
    assert order(breaker, A, other) == [other, A]


def test_the_only_route_is_tried_however_often_it_failed(breaker: Breaker) -> None:
    fail(breaker, A, 100)
    assert order(breaker, A) == [A]


def test_a_refused_credential_is_tried_last_at_once_and_for_all_its_offers(
    breaker: Breaker, clock: Clock
) -> None:
    second = replace(A, secret=Secret(2, "second", "sk-2"))
    other_offer = replace(A, offer_id=9)
    breaker.judge(A, REFUSED)
    assert order(breaker, A, second) == [second, A]
    assert order(breaker, other_offer, second) == [second, other_offer]
    clock.now += SECRET_S + 0.01
    assert order(breaker, A, second) == [A, second]


def test_a_replaced_key_starts_afresh(breaker: Breaker) -> None:
    breaker.judge(A, REFUSED)
    replaced = replace(A, secret=replace(A.secret, token="sk-new"))
    assert order(breaker, replaced, B) == [replaced, B]


def test_who_asked_us_to_wait_is_left_out_for_that_time(breaker: Breaker, clock: Clock) -> None:
    breaker.judge(A, LIMITED)
    assert order(breaker, A, B) == [B]
    assert order(breaker, A) == []
    clock.now += 3
    assert breaker.wait_s(A) == pytest.approx(4)
    assert breaker.asked_by(A) is KINDS["rate_limited"]
    clock.now += 4.01
    assert order(breaker, A, B) == [A, B]
    assert breaker.wait_s(A) <= 0


def test_a_limit_is_the_credentials_and_a_loading_model_the_offers(breaker: Breaker) -> None:
    second = replace(A, secret=Secret(2, "second", "sk-2"))
    breaker.judge(A, LIMITED)
    assert order(breaker, A, second) == [second]
    loading = Failure(KINDS["unavailable"], "loading", 503, retry_after_s=20)
    breaker.judge(second, loading)
    assert order(breaker, A, second) == []
    assert breaker.asked_by(second) is KINDS["unavailable"]


def test_a_success_that_was_sent_before_does_not_undo_a_wait(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.judge(A, LIMITED)
    breaker.succeeded(A)
    assert order(breaker, A, B) == [B]
    clock.now += 8
    breaker.succeeded(A)
    assert breaker.asked_by(A) is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if not kind.blames])
def test_what_proves_nothing_counts_against_nobody(breaker: Breaker, kind) -> None:
    fail(breaker, A, 100, Failure(kind, "no", 400, retry_after_s=7))
    assert order(breaker, A, B) == [A, B]


def test_it_remembers_a_bounded_number_of_failures(breaker: Breaker) -> None:
    for number in range(10_100):
        breaker.judge(route("a", number), DOWN)
    assert len(breaker._circuits) <= 10_000

"""What evidence proves: not found three times in a row, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.evidence.verdicts import (
    DOWN,
    LIST,
    NOT_FOUND,
    OK,
    SOFT,
    TRAFFIC,
    UNKNOWN,
    UP,
    Finding,
    Standing,
    is_faultless,
    judged,
    outcome_of,
    reason_of,
)
from providers.failures import KINDS

NOON = datetime(2031, 1, 2, 12, tzinfo=UTC)


def after(*outcomes: str, source: str = TRAFFIC) -> Standing:
    standing = Standing()
    for minute, outcome in enumerate(outcomes):
        finding = Finding(1, NOON + timedelta(minutes=minute), source, outcome)
        standing = judged(standing, finding)
    return standing


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"model_missing"}))
def test_no_other_failure_is_a_not_found(kind: str) -> None:
    for status in (None, 200, 400, 401, 404, 429, 500, 503):
        assert outcome_of(kind, status, "The model x does not exist.") == SOFT


@pytest.mark.parametrize("status", [200, 400, 404, 410, 422])
def test_a_model_that_the_provider_does_not_know_is_not_found(status: int) -> None:
    assert outcome_of("model_missing", status, "The model does not exist.") == NOT_FOUND


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Your project has no access to this model."),
        (401, "model not found"),
        (404, "No endpoints found that support tool use."),
        (404, "No endpoints found that can handle the requested parameters."),
        (404, "No endpoints found matching your data policy."),
        (404, "No allowed providers are available for the selected model."),
    ],
)
def test_what_a_request_or_a_credential_could_not_have_is_no_not_found(
    status: int, said: str
) -> None:
    assert outcome_of("model_missing", status, said) == SOFT


def test_three_not_founds_in_a_row_are_down_since_the_third() -> None:
    assert after(NOT_FOUND, NOT_FOUND).state == UNKNOWN
    standing = after(NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND)
    assert (standing.state, standing.hard_failures) == (DOWN, 4)
    assert standing.down_since == NOON + timedelta(minutes=2)
    words = "down since 2031-01-02 12:02 UTC: not found three times in a row"
    assert reason_of(standing.state, standing.down_since) == words


def test_a_success_between_begins_the_count_anew() -> None:
    assert after(NOT_FOUND, NOT_FOUND, OK, NOT_FOUND, NOT_FOUND).state == UP


def test_soft_failures_neither_count_nor_clear() -> None:
    assert after(*[SOFT] * 50).state == UNKNOWN
    assert after(OK, *[SOFT] * 50).state == UP
    assert after(NOT_FOUND, SOFT, NOT_FOUND, SOFT, NOT_FOUND).state == DOWN


def test_one_success_brings_it_back() -> None:
    standing = after(*[NOT_FOUND] * 9, OK)
    assert (standing.state, standing.hard_failures, standing.down_since) == (UP, 0, None)
    assert reason_of(standing.state, standing.down_since) == ""


def test_a_list_proves_neither() -> None:
    assert after(*[NOT_FOUND] * 9, source=LIST) == Standing()
    down = after(*[NOT_FOUND] * 3)
    assert judged(down, Finding(1, NOON, LIST, OK)) == down


def test_a_requests_own_mistake_is_nobodys_failure() -> None:
    assert is_faultless("bad_request")
    assert is_faultless("context_length")
    assert not is_faultless("rate_limited")
    mistake = Finding(1, NOON, TRAFFIC, SOFT, faultless=True)
    assert judged(Standing(), mistake) == Standing()

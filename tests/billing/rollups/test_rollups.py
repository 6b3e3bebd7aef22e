"""Hourly sums: every usage row once, late ones too, and what is left when rows are deleted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger.checking import differences
from billing.models import Account, UsageRow
from billing.rollups.models import COUNTS, DailyUsage, HourlyUsage, Progress
from billing.rollups.reading import Span, usage_by, whole_hour
from billing.rollups.rebuilding import rebuild
from billing.rollups.retention import delete_old
from billing.rollups.summing import roll_up
from tests.billing.ledgers import account
from tests.billing.rollups.use import book

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEAR = (NOON - 300 * DAY, NOON + 300 * DAY)

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Account:
    return account("Acme")


def stored() -> list[dict]:
    return list(HourlyUsage.objects.order_by("pk").values())


def counted(*groups: str, span: tuple = YEAR, **whose: Any) -> list[tuple]:
    rows = usage_by(Span(*span, **whose), *groups)
    return [(*(row[name] for name in groups), row["requests"], row["cost_nano"]) for row in rows]


def test_an_hour_is_summed_once_however_often_it_is_tried(acme: Account) -> None:
    book(acme, NOON, NOON + MINUTE, NOON + HOUR)
    assert (roll_up(), roll_up()) == (3, 0)
    first, second = stored()
    assert (first["hour"], first["requests"], first["cost_nano"]) == (NOON, 2, 14)
    assert (first["prompt_tokens"], first["completion_tokens"]) == (20, 8)
    assert (second["hour"], second["requests"]) == (NOON + HOUR, 1)
    assert differences() == []


def test_late_rows_go_into_their_hour(acme: Account) -> None:
    book(acme, NOON)
    roll_up()
    book(acme, NOON + MINUTE)
    roll_up()
    [row] = stored()
    assert row["requests"] == 2


def test_what_differs_is_kept_apart(acme: Account) -> None:
    other = account("Other")
    book(acme, NOON)
    book(acme, NOON, provider="", model_id="", outcome="failed", status=502, cost_nano=None)
    book(acme, NOON, endpoint="embeddings")
    book(other, NOON, first_byte_ms=30, duration_ms=50)
    roll_up()
    assert counted("provider") == [("", 1, 0), ("acme", 3, 21)]
    assert counted("endpoint") == [("chat", 3, 14), ("embeddings", 1, 7)]
    assert counted("account") == [(acme.pk, 3, 14), (other.pk, 1, 7)]
    by_provider = usage_by(Span(*YEAR), "provider")
    assert [row["failures"] for row in by_provider] == [1, 0]
    assert [(row["first_bytes"], row["first_byte_ms"]) for row in by_provider] == [(0, 0), (1, 30)]


@pytest.mark.parametrize("rolled", [0, 1, 2], ids=["none", "some", "all"])
def test_answers_are_the_same_whatever_was_summed_yet(acme: Account, rolled: int) -> None:
    book(acme, NOON, NOON + MINUTE)
    if rolled:
        roll_up()
    book(acme, NOON + HOUR, NOON + DAY)
    if rolled == 2:
        roll_up()
    assert counted("day") == [(NOON.date(), 3, 21), ((NOON + DAY).date(), 1, 7)]
    assert counted("hour")[0] == (NOON, 2, 14)
    assert counted("month") == [
        (date(2026, 3, 1), 3, 21),
        (date(2026, 4, 1), 1, 7),
    ]
    assert counted("day", "model", "key")[0] == (NOON.date(), "chat", "k1", 3, 21)
    assert counted() == [(4, 28)]
    days = (NOON.replace(hour=0), NOON.replace(hour=0) + DAY)
    assert counted("day", span=days) == [(NOON.date(), 3, 21)]
    assert counted("month", "model", span=days) == [(date(2026, 3, 1), "chat", 3, 21)]
    assert counted("provider", "account", span=days) == [("acme", acme.pk, 3, 21)]
    assert counted("hour", span=days) == [(NOON, 2, 14), (NOON + HOUR, 1, 7)]
    assert counted(span=(NOON + MINUTE, NOON + 2 * MINUTE)) == [(2, 14)]
    assert counted(span=(NOON + HOUR, NOON + 2 * HOUR)) == [(1, 7)]
    assert counted(accounts=[acme.pk]) == [(4, 28)]
    assert counted("day", accounts=[acme.pk + 99]) == []
    assert counted(keys=["k1", "k2"], model="chat") == [(4, 28)]
    assert counted(keys=["k2"]) == counted(model="other") == [(0, 0)]


def test_no_usage_is_zero_in_total_and_no_row_in_groups(acme: Account) -> None:
    assert counted() == [(0, 0)]
    assert counted("day") == []


def test_old_rows_are_deleted_and_the_sums_stay(acme: Account) -> None:
    now = timezone.now()
    book(acme, now - 40 * DAY, now - 39 * DAY)
    book(acme, now - 40 * DAY, now)  # one transaction, half of it old: the batch is kept
    roll_up()
    before = counted("day", span=(now - 50 * DAY, now + DAY))
    assert delete_old(30) == 0
    assert delete_old(30, batch=2) == 2
    assert counted("day", span=(now - 50 * DAY, now + DAY)) == before
    assert UsageRow.objects.count() == 2
    assert differences() == []
    book(acme, now)
    roll_up()
    assert differences() == []


def test_half_of_a_transaction_may_be_gone(acme: Account) -> None:
    now = timezone.now()
    book(acme, now - 40 * DAY, now)
    roll_up()
    assert delete_old(30, batch=1) == 1
    assert differences() == []
    UsageRow.objects.update(cost_nano=8)
    assert any("until" in difference for difference in differences())


def test_what_is_not_summed_is_never_deleted(acme: Account) -> None:
    book(acme, NOON - 300 * DAY)
    assert delete_old(1) == 0
    assert UsageRow.objects.count() == 1


@pytest.mark.parametrize("days", [0, 10_000])
def test_zero_days_keep_all(acme: Account, days: int) -> None:
    book(acme, NOON - 300 * DAY)
    roll_up()
    assert delete_old(days) == 0


def test_sums_are_made_again_from_rows(acme: Account) -> None:
    now = whole_hour(timezone.now())
    book(acme, now - 3 * HOUR, now - 3 * HOUR, now - HOUR)
    roll_up()
    right = [{**row, "id": 0} for row in stored()]
    HourlyUsage.objects.update(requests=99)
    HourlyUsage.objects.first().delete()
    DailyUsage.objects.update(cost_nano=99)
    assert [difference[:16] for difference in differences()] == [
        "hourly sums say ",
        "daily sums say 3",
    ]
    call_command("rebuild_usage")
    assert [{**row, "id": 0} for row in stored()] == right
    assert differences() == []


def test_hours_whose_rows_are_gone_are_not_made_again(acme: Account) -> None:
    now = whole_hour(timezone.now())
    book(acme, now - 2 * DAY)
    book(acme, now)
    roll_up()
    delete_old(1, batch=1)
    made = dict(rebuild())
    assert min(made) > now - 2 * DAY
    assert counted("day", span=(now - 50 * DAY, now + DAY))[0][1:] == (1, 7)
    assert differences() == []


def test_rows_after_the_mark_are_not_rebuilt_twice(acme: Account) -> None:
    now = whole_hour(timezone.now())
    book(acme, now)
    roll_up()
    book(acme, now)
    list(rebuild())
    assert Progress.now().rolled_through < UsageRow.objects.latest("pk").pk
    assert counted(span=(now, now + HOUR)) == [(2, 14)]
    roll_up()
    assert counted(span=(now, now + HOUR)) == [(2, 14)]


def test_every_count_is_a_column_of_both(acme: Account) -> None:
    book(acme, NOON)
    [row] = usage_by(Span(*YEAR))
    assert set(row) == set(COUNTS)

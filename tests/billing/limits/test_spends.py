"""Budgets in the database: what bookkeeping adds, who is told, and what the counters read."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.dispatch import receiver

from billing.access.keylimits import KeyLimit, limits_of
from billing.books.entries import enter
from billing.books.records import Record
from billing.limits import notices, spends
from billing.limits.clerk import Clerk, learn
from billing.limits.counters import Allowance
from billing.limits.counting import Refused
from billing.limits.models import Budget, BudgetNotice, BudgetSpend
from billing.limits.periods import moment, period_of
from billing.limits.reading import with_limits
from billing.models import Account, ApiKey
from billing.organisations.models import Membership, Organisation
from catalog.models import Revision
from tests.billing import ledgers
from tests.billing.limits.bench import Desk
from tests.billing.lines import record

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def account(db) -> Account:
    return ledgers.account()


@pytest.fixture
def key(account: Account) -> ApiKey:
    return ApiKey.issue(account)[0]


def used(key: ApiKey, cost: int, name: str = "", at: float = AT) -> Record:
    return record(name or f"r{cost}-{at}", key.account_id, cost, key_id=key.public_id, at=at)


def spent(budget: Budget) -> list[int]:
    return list(budget.spends.order_by("period_began_at").values_list("spent_nano", flat=True))


@pytest.mark.parametrize("period", ["day", "week", "month", "total"])
def test_what_is_booked_is_added_to_its_period(key: ApiKey, period: str) -> None:
    budget = Budget.objects.create(key=key, period=period, hard_nano=100)
    enter([used(key, 5, "a"), used(key, 6, "b")])
    enter([used(key, 7, "c")])
    assert spent(budget) == [18]
    later = AT + timedelta(days=40).total_seconds()
    enter([used(key, 9, "d", later)])
    assert spent(budget) == ([27] if period == "total" else [18, 9])


def test_a_late_record_counts_where_its_request_began(key: ApiKey) -> None:
    budget = Budget.objects.create(key=key, period="day", hard_nano=100)
    enter([used(key, 5, "today"), used(key, 6, "yesterday", AT - 86400)])
    assert spent(budget) == [6, 5]


def test_a_new_budget_begins_with_what_the_period_has_used(key: ApiKey) -> None:
    enter([used(key, 5, "before"), used(key, 50, "last month", AT - 40 * 86400)])
    budget = Budget.objects.create(key=key, period="month", hard_nano=100)
    enter([used(key, 6, "after")])
    assert spent(budget) == [11]


def test_another_keys_use_counts_for_the_account_alone(key: ApiKey, account: Account) -> None:
    other = ApiKey.issue(account)[0]
    mine = Budget.objects.create(key=key, hard_nano=100)
    ours = Budget.objects.create(account=account, hard_nano=100)
    enter([used(key, 5, "a"), used(other, 6, "b")])
    assert (spent(mine), spent(ours)) == ([5], [11])


def test_what_costs_nothing_and_what_is_off_is_not_counted(key: ApiKey) -> None:
    off = Budget.objects.create(key=key, hard_nano=100, enabled=False)
    on = Budget.objects.create(key=key, hard_nano=100)
    enter([used(key, 0, "free"), record("none", key.account_id, None, key_id=key.public_id)])
    assert spent(off) == spent(on) == []


def test_a_soft_edge_is_noticed_once_a_period(key: ApiKey) -> None:
    heard = []

    @receiver(notices.reached)
    def hear(notice: BudgetNotice, **_: object) -> None:
        heard.append((notice.edge, notice.spent_nano))

    Budget.objects.create(key=key, period="day", soft_nano=10)
    for number in range(4):
        enter([used(key, 4, f"r{number}")])
    enter([used(key, 40, "tomorrow", AT + 86400)])
    assert heard == [("soft", 12), ("soft", 40)]
    assert BudgetNotice.objects.count() == 2


def test_a_notice_is_forgotten_with_a_booking_that_fails(key: ApiKey) -> None:
    budget = Budget.objects.create(key=key, soft_nano=1)
    assert notices.notice(budget.pk, moment(0), "soft", 5)
    assert not notices.notice(budget.pk, moment(0), "soft", 9)
    assert BudgetNotice.objects.get().spent_nano == 5


def test_counters_learn_what_was_booked_and_follow_it(key: ApiKey, desk: Desk) -> None:
    desk.at_s = AT - 1_800_000_000
    budget = Budget.objects.create(key=key, period="day", hard_nano=100)
    enter([used(key, 30, "a")])
    learn(desk.counting, (budget.value_of(),), AT)
    assert left(desk, budget) == 70
    enter([used(key, 15, "b")])
    BudgetSpend.objects.update(updated_at=datetime.fromtimestamp(AT, UTC))
    clerk = Clerk(desk.limits)
    clerk.follow(AT + 1)
    assert left(desk, budget) == 55
    enter([used(key, 20, "c")])
    BudgetSpend.objects.update(updated_at=datetime.fromtimestamp(AT, UTC))
    clerk.follow(AT + 2)
    assert left(desk, budget) == 35


def test_a_budget_with_another_period_counts_all_that_this_one_used(key: ApiKey) -> None:
    budget = Budget.objects.create(key=key, period="day", hard_nano=100)
    first = datetime(2026, 11, 1, 9, tzinfo=UTC).timestamp()
    enter([used(key, 5, "a", first)])
    enter([used(key, 7, "b", first + 86_400)])
    budget.period = "month"
    budget.save()
    assert [spent for _, _, spent in spends.spent_of([budget.pk], first + 90_000)] == [12]


def test_while_nothing_is_booked_a_follower_asks_one_question(
    key: ApiKey, desk: Desk, django_assert_num_queries
) -> None:
    Budget.objects.create(key=key, period="day", hard_nano=100)
    enter([used(key, 30, "a")])
    clerk = Clerk(desk.limits)
    for queries in (2, 1, 1):
        with django_assert_num_queries(queries):
            clerk.follow(time.time())


def left(desk: Desk, budget: Budget) -> int:
    allowance = Allowance(budget.value_of())
    refused = desk.counting.take((), (allowance,), (1, 0, 1, 10**6), desk.now_ms)
    assert isinstance(refused, Refused)
    return refused.left


def test_whoever_was_refused_is_written_down_once(key: ApiKey, desk: Desk) -> None:
    budget = Budget.objects.create(key=key, period="day", hard_nano=100)
    begin, _ = period_of("day", AT)
    clerk = Clerk(desk.limits)
    for _ in range(3):
        desk.limits.refused.append((budget.pk, begin))
        clerk.work(leading=False)
    assert list(BudgetNotice.objects.values_list("edge", "period_began_at")) == [
        ("hard", moment(begin))
    ]


def test_a_refusal_of_a_budget_that_is_gone_stops_nothing(desk: Desk) -> None:
    desk.limits.refused.append((99999, 0))
    Clerk(desk.limits).work(leading=False)
    assert not desk.limits.refused


def test_a_budget_that_requests_met_unknown_is_looked_up(key: ApiKey, desk: Desk) -> None:
    budget = Budget.objects.create(key=key, period="total", hard_nano=100)
    desk.limits.unknown[budget.pk] = budget.value_of()
    Clerk(desk.limits).work(leading=False)
    assert left(desk, budget) == 100


def test_the_sum_of_a_period_uses_an_index(key: ApiKey, django_assert_num_queries) -> None:
    budget = Budget.objects.create(key=key, period="day", hard_nano=100)
    with django_assert_num_queries(1) as seen:
        spends.summed(budget, period_of("day", AT))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {seen[0]['sql']}")
        plan = " ".join(row[3] for row in cursor.fetchall())
    assert "USING INDEX usage_by_key" in plan


@pytest.fixture
def member(account: Account) -> Membership:
    organisation = Organisation.objects.create(name="Acme Inc")
    Account.objects.filter(pk=account.pk).update(organisation=organisation)
    user = User.objects.create_user("ann")
    return Membership.objects.create(organisation=organisation, user=user)


def test_a_member_spends_with_all_keys_that_they_hold_there(
    member: Membership, account: Account, key: ApiKey
) -> None:
    mine = [ApiKey.issue(account, holder=member.user)[0] for _ in range(2)]
    elsewhere = ApiKey.issue(ledgers.account("Elsewhere"), holder=member.user)[0]
    enter([used(mine[0], 3, "before")])
    budget = Budget.objects.create(member=member, period="day", hard_nano=100)
    enter([used(one, 5, f"r{number}") for number, one in enumerate([*mine, key, elsewhere])])
    assert spent(budget) == [13]


def test_a_members_budget_reaches_their_keys(member: Membership, account: Account) -> None:
    held = ApiKey.issue(account, holder=member.user)[0]
    other = ApiKey.issue(account)[0]
    budget = Budget.objects.create(member=member, hard_nano=100)
    assert Revision.objects.first().parts == [f"key:{held.public_id}"]
    found = {}
    for key in (held, other):
        row = ApiKey.objects.select_related("account__plan").get(pk=key.pk)
        found[key.pk] = with_limits(row, row.value_of()).budgets
    assert [value.scope for value in found[held.pk]] == ["member"]
    assert found[other.pk] == ()
    assert str(budget).startswith("ann, member of Acme Inc")


def test_a_keys_page_tells_the_budget_of_which_the_least_is_left(key: ApiKey) -> None:
    assert limits_of([key.pk], time.time()) == {}
    Budget.objects.create(key=key, period="day", hard_nano=100)
    Budget.objects.create(key=key, period="total", hard_nano=1000, soft_nano=1)
    Budget.objects.create(account=key.account, period="day", hard_nano=1)
    enter([used(key, 950, "long ago")])
    assert limits_of([key.pk], time.time()) == {key.pk: KeyLimit(1000, 50, None)}
    enter([used(key, 70, "now", time.time())])
    assert limits_of([key.pk], time.time()) == {key.pk: KeyLimit(1000, 0, None)}

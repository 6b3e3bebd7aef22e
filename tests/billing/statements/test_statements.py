"""Statements: what the ledger says of a month, numbered without gaps, and never changed."""

import csv
import io
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.db import Error
from django.db.models import Sum
from django.db.transaction import atomic
from django.test import Client
from django.urls import reverse

from billing.leases.models import Lease
from billing.ledger.checking import differences
from billing.ledger.models import Posting
from billing.ledger.posting import ADJUSTMENTS, Because, customer, holds, post
from billing.models import Account
from billing.rollups.models import HourlyUsage
from billing.statements.issuing import CannotIssue, Month, issue, issue_missing
from billing.statements.models import Statement, StatementLine
from billing.statements.tasks import issue as task
from billing.statements.writing import as_csv, as_page, in_cents
from tests.billing.statements.months import LAST, SECOND, THIS, day, moved, named, used

pytestmark = pytest.mark.django_db
USD = 10**9


@pytest.fixture
def acme() -> Account:
    """An account with a busy month, and something before and after it."""
    row = named()
    moved(row, 10 * USD, day(3, LAST.before))
    used(row, USD, day(4, LAST.before))
    moved(row, 5 * USD, day(1))
    used(row, 123_456_789, day(2))
    used(row, 1, day(2), model_id="tiny", provider="groq")
    used(row, 2 * USD, day(20))
    moved(row, -2 * USD, day(21), "refund")
    moved(row, 3, LAST.end - SECOND, "adjustment", ADJUSTMENTS)
    post(Because("hold", "hold:1", at=day(5)), {customer(row.pk): -USD, holds(row.pk): USD})
    Lease.objects.create(account=row, node="n", process="n.1", amount_nano=USD, touched_at=day(5))
    moved(row, 7 * USD, LAST.end)
    used(row, USD, LAST.end)
    return row


def issued(row: Account, month: Month = LAST) -> Statement:
    statement = issue(row, month, "ada")
    assert statement is not None
    return statement


def said(statement: Statement) -> list[tuple]:
    lines = statement.lines.all()
    return [(line.kind, line.model_id, line.provider, line.amount_nano) for line in lines]


def test_it_says_what_happened_and_nothing_else(acme: Account) -> None:
    statement = issued(acme)
    assert (statement.opening_nano, statement.closing_nano) == (9 * USD, 9_876_543_213)
    assert said(statement) == [
        ("usage", "chat", "acme", -2_123_456_789),
        ("usage", "tiny", "groq", -1),
        ("top-up", "", "", 5 * USD),
        ("refund", "", "", -2 * USD),
        ("adjustment", "", "", 3),
    ]
    usage = statement.lines.first()
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 20, 8)


def test_it_closes_with_what_the_ledger_said_then(acme: Account) -> None:
    closing = issued(acme).closing_nano
    booked = Posting.objects.filter(
        ledger_account__account=acme, transaction__created_at__lt=LAST.end
    )
    assert closing == booked.aggregate(total=Sum("amount_nano"))["total"]
    acme.refresh_from_db()
    assert closing == acme.balance_nano - 6 * USD
    assert differences() == []


def test_the_next_one_opens_where_the_last_one_closed(acme: Account) -> None:
    first = issued(acme, LAST.before)
    second = issued(acme)
    assert first.closing_nano == second.opening_nano == 9 * USD
    assert (first.opening_nano, [first.number, second.number]) == (0, [1, 2])


def test_usage_counts_for_the_month_in_which_it_was_booked(acme: Account) -> None:
    late = LAST.end - SECOND
    used(acme, 5, late, booked_at=LAST.end + SECOND, model_id="late")
    used(acme, 6, LAST.start - SECOND, booked_at=LAST.start, model_id="early")
    models = [line[1] for line in said(issued(acme))]
    assert "early" in models
    assert "late" not in models


def test_it_is_made_once(acme: Account) -> None:
    first = issued(acme)
    moved(acme, USD, day(9))  # somebody books into the past: it stays as it was issued
    assert issued(acme) == first
    assert StatementLine.objects.count() == 5


def test_books_that_changed_behind_a_statement_stop_the_next_one(acme: Account) -> None:
    issued(acme, LAST.before)
    moved(acme, USD, day(9, LAST.before))
    with pytest.raises(CannotIssue, match="the ledger says"):
        issue(acme, LAST, "ada")


def test_sums_that_do_not_fit_the_ledger_stop_it(acme: Account) -> None:
    issued(acme, LAST.before)
    HourlyUsage.objects.filter(model_id="tiny").update(cost_nano=2)
    with pytest.raises(CannotIssue, match="the ledger says"):
        issue(acme, LAST, "ada")
    assert Statement.objects.count() == 1


def test_a_month_that_goes_on_has_none(acme: Account) -> None:
    with pytest.raises(CannotIssue, match="is not over"):
        issue(acme, THIS, "ada")


def test_numbers_have_no_gaps_and_the_idle_take_none(acme: Account) -> None:
    named("Idle")
    owes = named("Owes")
    used(owes, USD, day(3))
    broken = named("Broken")
    Account.objects.filter(pk=broken.pk).record(balance_nano=5)
    rich = named("Rich")
    moved(rich, USD, day(3, LAST.before))
    assert task() == "3 statements issued, 1 not"
    assert [row.number for row in Statement.objects.order_by("number")] == [1, 2, 3]
    names = list(Statement.objects.order_by("number").values_list("account_name", flat=True))
    assert names == ["Acme", "Owes", "Rich"]
    assert list(issue_missing(LAST, "ada"))[1:] == []
    assert Statement.objects.get(account=owes).closing_nano == -USD
    assert not Statement.objects.get(account=rich).lines.exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE statements_statement SET closing_nano = 5",
        "DELETE FROM statements_statement",
        "UPDATE statements_statementline SET amount_nano = 0",
        "DELETE FROM statements_statementline",
        "INSERT INTO statements_statementline (statement_id, position, kind, text, model_id, "
        "provider, requests, prompt_tokens, completion_tokens, amount_nano) "
        "VALUES (1, 99, 'x', '', '', '', 0, 0, 0, 5)",
    ],
    ids=lambda text: text[:30],
)
def test_the_database_changes_none(acme: Account, change: str) -> None:
    from django.db import connection

    issued(acme)
    with pytest.raises(Error), atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert len(said(Statement.objects.get())) == 5


def test_the_database_takes_none_that_does_not_sum(acme: Account) -> None:
    with pytest.raises(Error), atomic():
        Statement.objects.create(
            number=1, account=acme, month=LAST.first, opening_nano=0, closing_nano=1
        )


def test_csv_has_every_digit(acme: Account) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(issued(acme)))))
    assert [row["kind"] for row in rows][::6] == ["opening balance", "closing balance"]
    amounts = [Decimal(row["amount_usd"]) for row in rows]
    assert sum(amounts[:-1]) == amounts[-1] == Decimal("9.876543213")
    assert rows[2]["amount_usd"] == "-0.000000001"
    assert rows[3]["date"] == f"{day(1):%Y-%m-%d}"
    assert {row["statement"] for row in rows} == {"000001"}


def test_no_cell_is_a_formula() -> None:
    row = named("=HYPERLINK(1)")
    used(row, 5, day(2), model_id="+cmd")
    text = as_csv(issued(row))
    assert "'=HYPERLINK(1)" in text
    assert "'+cmd" in text


@pytest.mark.parametrize(
    ("nano", "cents"),
    [
        (0, "0.00"),
        (1, "0.00"),
        (-1, "0.00"),
        (5_000_000, "0.01"),
        (-5_000_000, "−0.01"),
        (4_999_999, "0.00"),
        (1_234_567_890_000_000, "1,234,567.89"),
        (999_995_000_000, "1,000.00"),
    ],
)
def test_cents_are_rounded_half_away_from_zero(nano: int, cents: str) -> None:
    assert in_cents(nano) == cents


def test_the_page_has_cents_and_every_digit(acme: Account) -> None:
    page = as_page(issued(acme))
    assert "Statement 000001" in page
    assert "9.88" in page
    assert "9.876543213 USD" in page
    assert "−2.00" in page
    assert "A top-up" in page or "a top-up" in page


def test_a_name_is_no_markup() -> None:
    row = named("<script>alert(1)</script>")
    moved(row, 5, day(2))
    assert "<script>" not in as_page(issued(row))


def test_an_admin_issues_prints_and_takes_away(admin_client: Client, acme: Account) -> None:
    url = reverse("admin:billing_account_issue", args=[acme.pk])
    form = {"month": f"{LAST.first:%Y-%m}", "_form_submitted": "1"}
    answer = admin_client.post(url, form)
    statement = Statement.objects.get()
    assert statement.author == "admin"
    assert answer["HX-Redirect"] == reverse("admin:statements_statement_change", args=[1])
    page = admin_client.get(reverse("admin:statements_statement_page", args=[1]))
    assert b"Statement 000001" in page.content
    table = admin_client.get(reverse("admin:statements_statement_table", args=[1]))
    assert table.content.decode() == as_csv(statement)
    assert 'filename="statement-000001.csv"' in table["Content-Disposition"]
    assert admin_client.get(reverse("admin:statements_statement_page", args=[2])).status_code == 404


@pytest.mark.parametrize("month", ["", "2031", "2020-13", "9999-12", "x", "0000-01"])
def test_no_odd_month_is_issued(admin_client: Client, acme: Account, month: str) -> None:
    url = reverse("admin:billing_account_issue", args=[acme.pk])
    answer = admin_client.post(url, {"month": month, "_form_submitted": "1"})
    assert answer.context["form"].errors["month"]
    assert not Statement.objects.exists()


def test_the_month_that_goes_on_is_told(admin_client: Client, acme: Account) -> None:
    url = reverse("admin:billing_account_issue", args=[acme.pk])
    form = {"month": f"{THIS.first:%Y-%m}", "_form_submitted": "1"}
    page = admin_client.get(admin_client.post(url, form)["HX-Redirect"]).content.decode()
    assert "is not over" in page


def test_who_may_not_see_statements_prints_none(client: Client, acme: Account) -> None:
    issued(acme)
    client.force_login(User.objects.create_user("guest", is_staff=True))
    url = reverse("admin:statements_statement_page", args=[1])
    assert client.get(url).status_code == 403
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_statement"))
    client.force_login(viewer)
    assert client.get(url).status_code == 200

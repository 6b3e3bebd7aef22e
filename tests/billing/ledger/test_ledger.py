"""The ledger refuses what is not whole, and keeps what it has."""

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection
from django.db.transaction import atomic

from billing import money
from billing.ledger.checking import differences
from billing.ledger.credits import credit
from billing.ledger.models import LedgerAccount, Posting, Transaction, new_id
from billing.ledger.posting import (
    PAYMENTS,
    REVENUE,
    AlreadyBooked,
    Because,
    customer,
    holds,
    post,
)
from billing.models import Account
from tests.billing.ledgers import account

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Account:
    return account(nano=100)


def because(reference: str = "test:1") -> Because:
    return Because("test", reference, "a test", "tests")


def balances(row: Account) -> tuple[int, int]:
    row.refresh_from_db()
    return row.balance_nano, row.held_nano


def test_balances_follow_from_postings(acme: Account) -> None:
    post(because("a"), {customer(acme.pk): -30, holds(acme.pk): 30})
    assert balances(acme) == (100, 30)
    post(because("b"), {holds(acme.pk): -20, customer(acme.pk): -5, REVENUE: 25})
    assert balances(acme) == (75, 10)
    assert differences() == ["Acme: held are 0.00000001 USD, its leases say 0.00 USD"]


def test_what_does_not_sum_to_zero_is_refused(acme: Account) -> None:
    with pytest.raises(money.BadAmount):
        post(because(), {customer(acme.pk): 5, PAYMENTS: -4})
    with pytest.raises(money.BadAmount):
        post(because(), {customer(acme.pk): 0, PAYMENTS: 0})
    assert balances(acme) == (100, 0)


def test_a_reference_is_booked_once(acme: Account) -> None:
    post(because(), {customer(acme.pk): 5, PAYMENTS: -5})
    with pytest.raises(AlreadyBooked):
        post(because(), {customer(acme.pk): 5, PAYMENTS: -5})
    assert balances(acme) == (105, 0)


def test_nothing_is_written_where_a_balance_would_leave_its_range(acme: Account) -> None:
    with pytest.raises(money.BadAmount):
        post(because(), {customer(acme.pk): 8 * 10**18, PAYMENTS: -8 * 10**18})
    assert balances(acme) == (100, 0)
    assert Transaction.objects.count() == 1


def sides(*amounts: int) -> list[Posting]:
    row = LedgerAccount.objects.get(kind="adjustments")
    number = new_id()
    return [Posting(transaction_id=number, ledger_account=row, amount_nano=n) for n in amounts]


def forge(rows: list[Posting]) -> None:
    Posting.objects.bulk_create(rows)
    number = rows[0].transaction_id if rows else new_id()
    Transaction.objects.create(id=number, kind="test", reference="forged")


@pytest.mark.parametrize("amounts", [(5, -4), (5,), (0,), ()], ids=str)
def test_the_database_seals_only_what_sums_to_zero(acme: Account, amounts: tuple[int, ...]) -> None:
    with pytest.raises(Error), atomic():
        forge(sides(*amounts))
    assert not Transaction.objects.filter(reference="forged").exists()


def test_the_database_takes_no_posting_into_a_sealed_transaction(acme: Account) -> None:
    rows = sides(3, -3)
    for row in rows:
        row.transaction = Transaction.objects.get()
    with pytest.raises(Error), atomic():
        Posting.objects.bulk_create(rows)


def commit(rows: list[Posting]) -> None:
    Posting.objects.bulk_create(rows)
    connection.check_constraints()


def test_the_database_takes_no_posting_without_a_transaction(acme: Account) -> None:
    with pytest.raises(Error), atomic():
        commit(sides(3, -3))


@pytest.mark.parametrize("table", ["ledger_posting", "ledger_transaction"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_changes_and_deletes_nothing(acme: Account, table: str, change: str) -> None:
    with pytest.raises(Error), atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table))
    assert Posting.objects.count() == 2


def test_the_command_tells_a_wrong_balance(acme: Account) -> None:
    call_command("check_ledger")
    Account.objects.filter(pk=acme.pk).record(balance_nano=101)
    with pytest.raises(CommandError):
        call_command("check_ledger")
    assert "Acme: owns" in differences()[0]


def test_the_command_tells_a_missing_guard(acme: Account) -> None:
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else " ON ledger_posting"
        cursor.execute(f"DROP TRIGGER ledger_sealed{on}")
    assert differences() == ["the database has no trigger ledger_sealed"]


def test_credit_goes_both_ways_and_says_who_and_why(acme: Account) -> None:
    credit(acme, -40, "a mistake", "ada")
    assert acme.balance_nano == 60
    row = Transaction.objects.first()
    assert (row.reason, row.author) == ("a mistake", "ada")

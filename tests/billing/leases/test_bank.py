"""Moving money between accounts and leases: what is given, to whom, and that it adds up."""

import pytest
from django.db import IntegrityError, transaction

from billing.leases.models import Lease
from billing.leases.moving import Bank, Moved, Owner, Wish, decide
from billing.leases.recovery import release
from billing.ledger.checking import differences
from billing.ledger.credits import credit
from billing.ledger.models import Transaction
from billing.models import Account
from tests.billing.ledgers import account

pytestmark = pytest.mark.django_db
ONE, OTHER = Bank(Owner("n", "n.1.a")), Bank(Owner("n", "n.2.b"))


@pytest.fixture
def acme() -> Account:
    return account(nano=1000)


def held(row: Account) -> int:
    assert differences() == []
    row.refresh_from_db()
    return row.held_nano


@pytest.mark.parametrize(
    ("spendable", "wish", "contested", "expected"),
    [
        (100, Wish(wants=(100,)), False, ((True,), 0)),
        (99, Wish(wants=(100,)), False, ((False,), 0)),
        (99, Wish(back=1, wants=(100,)), False, ((True,), 0)),
        (250, Wish(wants=(100, 100, 100)), False, ((True, True, False), 0)),
        (150, Wish(wants=(100, 100, 50)), False, ((True, False, True), 0)),
        (17 * 100, Wish(wants=(100,), spare=800), False, ((True,), 100)),
        (17 * 100 - 1, Wish(wants=(100,), spare=800), False, ((True,), 0)),
        (10**6, Wish(wants=(100,), spare=800), False, ((True,), 800)),
        (10**6, Wish(wants=(100,), spare=800), True, ((True,), 0)),
        (10**6, Wish(wants=(100,), spare=50), False, ((True,), 0)),
        (-50, Wish(back=40), False, ((), 0)),
        (-50, Wish(wants=(1,)), False, ((False,), 0)),
    ],
)
def test_what_fits_is_given_and_slices_shrink_as_money_does(
    spendable: int, wish: Wish, contested: bool, expected: object
) -> None:
    assert decide(spendable, wish, contested) == expected


def test_what_is_taken_and_given_back_adds_up(acme: Account) -> None:
    assert ONE.move(acme.pk, Wish(wants=(10,), spare=20)) == Moved((True,), 20, 1000, 30)
    assert held(acme) == 30
    assert ONE.move(acme.pk, Wish(back=20, wants=(5,))) == Moved((True,), 0, 1000, 15)
    assert held(acme) == 15
    ONE.move(acme.pk, Wish(back=15))
    assert held(acme) == 0
    assert not Lease.objects.exists()


def test_a_credit_limit_can_be_spent_and_a_debt_cannot(acme: Account) -> None:
    Account.objects.filter(pk=acme.pk).update(credit_limit="0.50")
    assert ONE.move(acme.pk, Wish(wants=(500_001_001, 1))).granted == (False, True)
    assert ONE.move(acme.pk, Wish(back=1, wants=(500_001_000,))).granted == (True,)
    assert OTHER.move(acme.pk, Wish(wants=(1,))).granted == (False,)
    assert held(acme) == 500_001_000


def test_who_is_refused_learns_whether_others_have_something_idle(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(10,), spare=50))
    refused = OTHER.move(acme.pk, Wish(wants=(950,)))
    assert (refused.granted, refused.elsewhere, refused.asked) == ((False,), True, True)
    assert ONE.asked() == {acme.pk}
    assert OTHER.asked() == set()
    again = ONE.move(acme.pk, Wish(wants=(1,), spare=8, keep=50))
    assert again.spare == 0, "while somebody waits, nobody gets a slice"
    ONE.move(acme.pk, Wish(back=50))
    assert not OTHER.move(acme.pk, Wish(wants=(990,))).elsewhere
    given = OTHER.move(acme.pk, Wish(wants=(989,)))
    assert (given.granted, given.asked) == ((True,), False)
    assert ONE.asked() == set()
    assert held(acme) == 1000


def test_a_lease_that_was_released_from_outside_gives_nothing_twice(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(100,), spare=50))
    release(Lease.objects.all(), "test")
    assert held(acme) == 0
    moved = ONE.move(acme.pk, Wish(back=50, wants=(1000,)))
    assert moved.granted == (True,)
    assert OTHER.move(acme.pk, Wish(wants=(1,))).granted == (False,)
    assert held(acme) == 1000


def test_an_account_that_is_gone_has_no_money(acme: Account) -> None:
    assert ONE.move(acme.pk + 1000, Wish(wants=(1,))).granted == (False,)


def test_what_was_moved_can_be_found_out(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(10,)))
    reference = Transaction.objects.get(kind="hold").reference
    assert ONE.was_moved(acme.pk, reference)
    assert not ONE.was_moved(acme.pk, "hold:other")


def test_the_database_refuses_a_lease_below_zero(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(10,)))
    with pytest.raises(IntegrityError), transaction.atomic():
        Lease.objects.update(amount_nano=-1)


def test_check_ledger_knows_a_lease_that_is_not_held(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(10,)))
    Lease.objects.update(amount_nano=11)
    (said,) = differences()
    assert said.startswith("Acme: held are")


def test_money_that_is_taken_away_is_not_there(acme: Account) -> None:
    ONE.move(acme.pk, Wish(wants=(400,)))
    credit(acme, -700, "test", "test")
    assert ONE.move(acme.pk, Wish(wants=(1,))).granted == (False,)
    assert ONE.move(acme.pk, Wish(back=400, wants=(300,))).granted == (True,)
    assert held(acme) == 300


def test_an_account_that_is_saved_late_takes_no_money_back(acme: Account) -> None:
    late = Account.objects.get(pk=acme.pk)
    ONE.move(acme.pk, Wish(wants=(400,)))
    credit(acme, 5, "test", "test")
    late.name = "Acme and sons"
    late.save()
    assert held(acme) == 400
    assert (acme.name, acme.balance_nano) == ("Acme and sons", 1005)

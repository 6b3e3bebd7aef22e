"""Promotion codes: drawn, shown once, redeemed once by each account."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import money
from billing.ledger.checking import differences
from billing.ledger.models import Transaction
from billing.models import Account
from billing.payments.codes import Batch, draw, redeem
from billing.payments.models import PromotionCode, Redemption
from catalog.models import Revision
from providers.errors import CodeRefused
from tests.billing.ledgers import account

pytestmark = pytest.mark.django_db
USD = 10**9
MAKE = "admin:payments_promotioncode_draw"


@pytest.fixture
def acme() -> Account:
    return account(nano=100)


def one(amount_nano: int = 5 * USD, **said: object) -> str:
    [code] = draw(Batch("fair", 1, amount_nano, **said), "ada")
    return code


def test_a_code_gives_its_amount_from_promotions(acme: Account) -> None:
    assert redeem(acme, one(), "ada") == 5 * USD
    assert acme.balance_nano == 5 * USD + 100
    booked = Redemption.objects.get().transaction
    sides = {row.ledger_account.kind: row.amount_nano for row in booked.postings.all()}
    assert sides == {"customer": 5 * USD, "promotions": -5 * USD}
    assert (booked.kind, booked.author) == ("promotion", "ada")
    assert Revision.objects.first().parts == [f"account:{acme.pk}"]
    assert differences() == []


def test_it_is_read_as_people_write_it(acme: Account) -> None:
    assert redeem(acme, f"  {one().lower().replace('-', ' ')}\n", "ada") == 5 * USD


def test_nothing_of_a_code_is_kept(acme: Account) -> None:
    code = one()
    row = PromotionCode.objects.values().get()
    assert code.replace("-", "")[3:-4] not in str(row)
    assert row["last4"] == code[-4:]


def refused(acme: Account, code: str) -> str:
    before = Transaction.objects.count()
    with pytest.raises(CodeRefused) as problem:
        redeem(acme, code, "ada")
    assert Transaction.objects.count() == before
    return str(problem.value)


def test_every_refusal_is_the_same(acme: Account) -> None:
    used, late, withdrawn, mine = one(), one(), one(), one(most_uses=9)
    redeem(account("Other"), used, "ada")
    redeem(acme, mine, "ada")
    rows = PromotionCode.objects.order_by("pk")
    rows.filter(pk=rows[1].pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert rows.filter(pk=rows[2].pk).withdraw() == 1
    wrong = ["", "GWZ", "GWZ-2222-2222-2222-2222", "x" * 10_000, "\x00", "💶" * 19]
    answers = {refused(acme, code) for code in [used, late, withdrawn, mine, *wrong]}
    assert len(answers) == 1
    assert PromotionCode.objects.get(pk=rows[3].pk).uses == 1


def test_a_code_for_many_is_for_each_once(acme: Account) -> None:
    code = one(most_uses=2)
    redeem(acme, code, "ada")
    redeem(account("Other"), code, "ada")
    refused(account("Third"), code)
    assert PromotionCode.objects.get().uses == 2


def test_a_code_that_would_leave_the_balances_range_is_not_used_up() -> None:
    rich = account("Rich", nano=USD * USD)
    Account.objects.filter(pk=rich.pk).record(balance_nano=8 * 10**18)
    refused(rich, one())
    assert PromotionCode.objects.get().uses == 0


@pytest.mark.parametrize(
    ("amount", "count", "uses"),
    [
        (0, 1, 1),
        (-1, 1, 1),
        (10**18 + 1, 1, 1),
        (1, 0, 1),
        (1, 10_001, 1),
        (1, 1, 0),
        (1, 1, 2**31),
    ],
)
def test_no_odd_batch_is_drawn(amount: int, count: int, uses: int) -> None:
    with pytest.raises(money.BadAmount):
        draw(Batch("odd", count, amount, uses), "ada")
    assert not PromotionCode.objects.exists()


def made(client: Client, **said: object) -> object:
    form = {"name": "fair", "count": "3", "amount": "2.50", "most_uses": "1", **said}
    return client.post(reverse(MAKE), form)


def test_an_admin_makes_codes_and_sees_them_once(admin_client: Client, acme: Account) -> None:
    assert b'name="most_uses"' in admin_client.get(reverse(MAKE)).content
    answer = made(admin_client)
    codes = answer.context["codes"]
    page = answer.content.decode()
    assert len(set(codes)) == 3
    assert all(code in page for code in codes)
    assert "data:text/csv;base64," in page
    assert "no-store" in answer["Cache-Control"]
    changelist = admin_client.get(reverse("admin:payments_promotioncode_changelist")).content
    assert codes[0].encode() not in changelist
    assert PromotionCode.objects.first().author == "admin"
    assert redeem(acme, codes[2], "ada") == 2_500_000_000


@pytest.mark.parametrize(
    "said",
    [
        {"amount": "-1"},
        {"amount": "1e10"},
        {"amount": "x"},
        {"count": "0"},
        {"count": "99999999999"},
        {"most_uses": "-1"},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
    ],
    ids=str,
)
def test_bad_input_makes_none(admin_client: Client, said: dict[str, str]) -> None:
    answer = made(admin_client, **said)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not PromotionCode.objects.exists()


def test_who_may_only_look_makes_none(client: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_promotioncode"))
    client.force_login(viewer)
    assert made(client).status_code == 403
    assert client.get(reverse("admin:payments_promotioncode_changelist")).status_code == 200
    assert not PromotionCode.objects.exists()


def test_an_admin_redeems_for_an_account(admin_client: Client, acme: Account) -> None:
    url = reverse("admin:billing_account_redeem", args=[acme.pk])
    code = one()
    for _ in range(2):
        answer = admin_client.post(url, {"code": code, "_form_submitted": "1"})
        assert answer["HX-Redirect"]
    acme.refresh_from_db()
    assert acme.balance_nano == 5 * USD + 100
    page = admin_client.get(answer["HX-Redirect"]).content.decode()
    assert "Posted 5.00 USD for Acme." in page
    assert "not valid" in page

"""Re-rating: previewed, booked once, and told on the statement of the month of its booking."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing.ledger.checking import differences
from billing.ledger.models import Transaction
from billing.models import Account, UsageRow
from billing.rerating.applying import apply, preview
from billing.rerating.models import RatedAnew, Rerating, Share
from billing.rerating.rating import CannotRerate, Rated, rate_anew
from billing.rollups.summing import roll_up
from billing.statements.issuing import issue
from providers.values import Price, Usage
from tests.billing.statements.months import LAST, day, moved, named, used
from tests.forms import errors, save

USD = 10**9


def of(usage: Usage, markup: str = "1", was: int = 0) -> Rated:
    return Rated("gen-1", 1, usage, Decimal(markup), 1_750_000_000.0, was)


def test_each_bucket_is_charged_at_the_right_price_with_the_markup_of_then() -> None:
    price = Price(input=2_000_000, output=6_000_000, cached_input=500_000)
    [one] = rate_anew([of(Usage(input=10, output=5, cached_input=4), "1.25")], price)
    assert one.nano == (10 * 2000 + 5 * 6000 + 4 * 500) * 5 // 4


def test_a_price_that_lacks_what_was_used_is_refused() -> None:
    with pytest.raises(CannotRerate, match="gen-1 used: input, output"):
        list(rate_anew([of(Usage(input=10, output=5))], Price(input=2_000_000)))


def rerating(**said: Any) -> Rerating:
    values = {
        "model_id": "chat",
        "provider": "acme",
        "since": LAST.start,
        "until": LAST.end,
        "input_price": Decimal("1"),  # 1,000 nano-USD a token
        "output_price": Decimal("2"),
        "reason": "wrong price",
        "author": "ada",
    }
    return Rerating.objects.create(**values | said)


@pytest.fixture
def acme(db: None) -> Account:
    """Charged 30,000 and 50,000 for requests of 10 + 4 tokens, which are 18,000 each."""
    row = named()
    moved(row, USD, day(1))
    used(row, 30_000, day(2))
    used(row, 50_000, day(3))
    used(row, 90_000, day(3), model_id="other")
    used(row, 90_000, day(3), provider="groq")
    used(row, 90_000, LAST.end)
    return row


@pytest.fixture
def cheap(db: None) -> Account:
    """Charged too little."""
    row = named("Cheap")
    moved(row, USD, day(1))
    used(row, 8000, day(2))
    return row


def shares(row: Rerating) -> list[tuple]:
    return [
        (share.account.name, share.requests, share.was_nano, share.right_nano, share.done)
        for share in row.shares.all()
    ]


def balance(row: Account) -> int:
    row.refresh_from_db()
    assert differences() == []
    return row.balance_nano


def test_a_preview_books_nothing(acme: Account, cheap: Account) -> None:
    before = balance(acme), balance(cheap)
    row = rerating()
    preview(row)
    assert shares(row) == [("Acme", 2, 80_000, 36_000, False), ("Cheap", 1, 8000, 18_000, False)]
    assert (balance(acme), balance(cheap)) == before
    assert not RatedAnew.objects.exists()


def test_who_paid_too_much_gets_it_back_once(acme: Account, cheap: Account) -> None:
    before = balance(acme), balance(cheap)
    row = rerating()
    preview(row)
    row.refresh_from_db()
    assert (apply(row, "ada"), apply(row, "ada")) == (1, 0)
    assert (balance(acme), balance(cheap)) == (before[0] + 44_000, before[1])
    booked = Transaction.objects.get(kind="correction")
    assert (booked.reference, booked.reason) == (f"rerating:{row.pk}:{acme.pk}", "wrong price")
    sides = {side.ledger_account.kind: side.amount_nano for side in booked.postings.all()}
    assert sides == {"customer": 44_000, "revenue": -44_000}
    assert sum(UsageRow.objects.filter(account=acme).values_list("cost_nano", flat=True)) == 350_000
    notes = RatedAnew.objects.order_by("was_nano").values_list("was_nano", "rerated_nano")
    assert list(notes) == [(30_000, 18_000), (50_000, 18_000)]
    row.refresh_from_db()
    assert (row.state, row.applied_at is not None) == ("applied", True)
    with pytest.raises(CannotRerate, match="booked already"):
        preview(row)


def test_debits_are_booked_where_the_admin_says_so(acme: Account, cheap: Account) -> None:
    before = balance(cheap)
    row = rerating(debits=True)
    preview(row)
    row.refresh_from_db()
    assert apply(row, "ada") == 2
    assert balance(cheap) == before - 10_000


def test_a_second_correction_starts_from_the_first(acme: Account) -> None:
    start = balance(acme)
    for output in ("2", "1", "1"):
        row = rerating(output_price=Decimal(output))
        preview(row)
        row.refresh_from_db()
        apply(row, "ada")
    assert balance(acme) == start + 80_000 - 2 * 14_000
    assert Transaction.objects.filter(kind="correction").count() == 2


def test_two_admins_who_book_at_once_book_once(acme: Account) -> None:
    row = rerating()
    preview(row)
    first, second = Rerating.objects.get(pk=row.pk), Rerating.objects.get(pk=row.pk)
    assert (apply(first, "ada"), apply(second, "bob")) == (1, 0)
    assert Transaction.objects.filter(kind="correction").count() == 1


def test_what_was_booked_late_is_not_in_it(acme: Account) -> None:
    row = rerating()
    preview(row)
    used(acme, 30_000, day(4))
    row.refresh_from_db()
    assert apply(row, "ada") == 1
    assert RatedAnew.objects.count() == 2


def test_requests_that_changed_since_the_preview_stop_it(acme: Account) -> None:
    first, second = rerating(), rerating(output_price=Decimal(1))
    for row in (first, second):
        preview(row)
        row.refresh_from_db()
    apply(first, "ada")
    with pytest.raises(CannotRerate, match="preview it again"):
        apply(second, "ada")
    assert Transaction.objects.filter(kind="correction").count() == 1


def test_a_draft_is_not_booked(acme: Account) -> None:
    with pytest.raises(CannotRerate, match="not previewed"):
        apply(rerating(), "ada")


def test_failed_requests_and_those_without_usage_stay(acme: Account) -> None:
    used(acme, 1, day(5), outcome="failed")
    used(acme, 1, day(5), usage=None)
    row = rerating()
    preview(row)
    assert shares(row)[0][1] == 2


def test_all_providers_of_a_model(acme: Account) -> None:
    row = rerating(provider="")
    preview(row)
    assert shares(row) == [("Acme", 3, 170_000, 54_000, False)]


def test_the_past_stays_as_it_was_stated(acme: Account) -> None:
    roll_up()
    before = issue(acme, LAST, "ada")
    row = rerating()
    preview(row)
    row.refresh_from_db()
    apply(row, "ada")
    again = issue(acme, LAST, "ada")
    assert again == before
    assert not again.lines.filter(kind="correction").exists()
    booked = Transaction.objects.get(kind="correction")
    assert booked.created_at >= LAST.end  # so it is on the statement of the month that goes on


def test_the_correction_is_on_the_statement_of_its_month(acme: Account) -> None:
    from billing.ledger.posting import REVENUE

    moved(acme, 44_000, day(9), "correction", REVENUE)
    lines = issue(acme, LAST, "ada").lines
    assert lines.get(kind="correction").amount_nano == 44_000


ADD = "admin:rerating_rerating_add"
FORM = {
    "model_id": "chat",
    "provider": "acme",
    "since_0": f"{LAST.start:%Y-%m-%d}",
    "since_1": "00:00:00",
    "until_0": f"{LAST.end:%Y-%m-%d}",
    "until_1": "00:00:00",
    "input_price": "1",
    "output_price": "2",
    "reason": "wrong price",
}


def test_an_admin_looks_first_and_books_then(
    admin_client: Client, acme: Account, cheap: Account
) -> None:
    before = balance(acme)
    assert errors(save(admin_client, reverse(ADD), **FORM)) == ""
    row = Rerating.objects.get()
    assert (row.state, row.author) == ("previewed", "admin")
    page = reverse("admin:rerating_rerating_change", args=[row.pk])
    shown = admin_client.get(page).content.decode()
    for text in ("0.00008 USD", "0.000036 USD", "0.000044 USD", "would be booked", "would stay"):
        assert text in shown
    assert balance(acme) == before
    book = reverse("admin:rerating_rerating_book", args=[row.pk])
    assert admin_client.post(book, {"_form_submitted": "1"})["HX-Redirect"] == page
    assert balance(acme) == before + 44_000
    assert "Corrected 1 accounts." in admin_client.get(page).content.decode()
    assert admin_client.get(page + "delete/").status_code == 403


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"until_0": f"{LAST.start - timedelta(days=1):%Y-%m-%d}"}, "after the beginning"),
        ({"input_price": "", "output_price": ""}, "right price"),
        ({"input_price": "-1"}, "greater than or equal to 0"),
        ({"input_price": "1e30"}, "digits"),
        ({"other_prices": '{"nonsense": "1"}'}, "no such price"),
        ({"since_0": "x"}, "valid date"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_bad_input_is_told(
    admin_client: Client, acme: Account, said: dict[str, str], why: str
) -> None:
    answer = save(admin_client, reverse(ADD), **FORM | said)
    assert why in errors(answer)
    assert not Rerating.objects.exists()


def test_a_price_with_a_gap_is_told_and_nothing_can_be_booked(
    admin_client: Client, acme: Account
) -> None:
    answer = save(admin_client, reverse(ADD), **FORM | {"output_price": ""})
    row = Rerating.objects.get()
    assert row.state == "draft"
    page = admin_client.get(answer["Location"]).content.decode()
    assert "The price lacks some of what" in page
    admin_client.post(
        reverse("admin:rerating_rerating_book", args=[row.pk]), {"_form_submitted": "1"}
    )
    assert not Share.objects.exists()
    assert not Transaction.objects.filter(kind="correction").exists()


def test_who_may_only_look_books_nothing(client: Client, acme: Account) -> None:
    row = rerating()
    preview(row)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_rerating"))
    client.force_login(viewer)
    book = reverse("admin:rerating_rerating_book", args=[row.pk])
    assert client.post(book, {"_form_submitted": "1"}).status_code == 403
    assert not Transaction.objects.filter(kind="correction").exists()

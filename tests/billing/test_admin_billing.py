import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from billing import money
from billing.access import keys
from billing.ledger.credits import credit
from billing.ledger.models import Posting, Transaction
from billing.models import Account, ApiKey, Plan
from catalog.models import Revision
from tests.forms import errors, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db) -> Account:
    return Account.objects.create(name="Acme", plan=Plan.objects.get(name="default"))


def top_up(client: Client, account: Account, amount: str, reason: str = "invoice 2031 paid"):
    url = reverse("admin:billing_account_top_up", args=[account.pk])
    return client.post(url, {"amount": amount, "reason": reason, "_form_submitted": "1"})


def test_a_top_up_is_a_posting_and_a_balance(admin_client: Client, acme: Account) -> None:
    answer = top_up(admin_client, acme, "12.50")
    assert answer["HX-Redirect"] == reverse("admin:billing_account_change", args=[acme.pk])
    booked = Transaction.objects.get()
    assert (booked.kind, booked.reason) == ("adjustment", "invoice 2031 paid")
    sides = {row.ledger_account.kind: row.amount_nano for row in booked.postings.all()}
    assert sides == {"customer": 12_500_000_000, "adjustments": -12_500_000_000}
    assert booked.author == Revision.objects.first().author == "admin"
    assert Revision.objects.first().parts == [f"account:{acme.pk}"]
    text = admin_client.get(reverse("admin:billing_account_change", args=[acme.pk])).content
    assert b"12.50 USD" in text


@pytest.mark.parametrize("amount", ["0", "ten", "1e10", "0.0000000001", "", "NaN"])
def test_a_bad_amount_is_refused_with_a_sentence(
    admin_client: Client, acme: Account, amount: str
) -> None:
    answer = top_up(admin_client, acme, amount)
    assert answer.context["form"].errors["amount"]
    assert not Posting.objects.exists()


def test_whoever_may_not_change_accounts_may_not_top_up(client: Client, acme: Account) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_account"))
    client.force_login(viewer)
    assert top_up(client, acme, "1").status_code == 403
    assert not Posting.objects.exists()


def test_a_balance_never_leaves_its_column(acme: Account) -> None:
    for _ in range(8):
        credit(acme, 10**18, "much", "test")
    with pytest.raises(money.BadAmount):
        credit(acme, 10**18, "too much", "test")
    assert acme.balance_nano == 8 * 10**18 == sum(posted_to("customer"))
    assert sum(posted_to("adjustments")) == -acme.balance_nano


def posted_to(kind: str) -> list[int]:
    rows = Posting.objects.filter(ledger_account__kind=kind)
    return list(rows.values_list("amount_nano", flat=True))


@pytest.mark.parametrize("amount", [0, 10**18 + 1, -(10**18) - 1])
def test_neither_nothing_nor_the_enormous_is_posted(acme: Account, amount: int) -> None:
    with pytest.raises(money.BadAmount):
        credit(acme, amount, "reason", "test")
    assert not Posting.objects.exists()


def test_credits_from_stale_rows_add_up(acme: Account) -> None:
    stale = Account.objects.get(pk=acme.pk)
    credit(acme, 5, "one", "test")
    credit(stale, -2, "two", "test")
    assert stale.balance_nano == 3


def test_a_new_key_is_shown_once(admin_client: Client, acme: Account) -> None:
    answer = save(
        admin_client,
        reverse("admin:billing_apikey_add"),
        account=str(acme.pk),
        name="laptop",
        allowed_providers='["hug", "groq"]',
    )
    assert errors(answer) == ""
    row = ApiKey.objects.get()
    assert row.allowed_providers == ["huggingface", "groq"]
    token = next(
        word
        for message in get_messages(answer.wsgi_request)
        for word in str(message).replace("<", ">").split(">")
        if keys.wellformed(word)
    )
    assert row.digest == keys.digests(token)[0]
    change = reverse("admin:billing_apikey_change", args=[row.pk])
    changelist = reverse("admin:billing_apikey_changelist")
    assert token in admin_client.get(changelist).content.decode()
    for url in (changelist, change, change + "history/", reverse("admin:index")):
        assert token not in admin_client.get(url).content.decode()
    assert errors(save(admin_client, change, name="desktop")) == ""
    assert ApiKey.objects.get().digest == row.digest


def test_a_provider_that_nobody_knows_is_refused_with_the_list(
    admin_client: Client, acme: Account
) -> None:
    answer = save(
        admin_client,
        reverse("admin:billing_apikey_add"),
        account=str(acme.pk),
        allowed_providers='["grog"]',
    )
    assert "No provider is called grog. There are: " in errors(answer)
    assert not ApiKey.objects.exists()


def test_revoking_is_one_revision_and_keeps_the_first_moment(
    admin_client: Client, acme: Account
) -> None:
    first, _ = ApiKey.issue(acme, "first")
    second, _ = ApiKey.issue(acme, "second")
    chosen = {"action": "revoke", "_selected_action": [first.pk]}
    admin_client.post(reverse("admin:billing_apikey_changelist"), chosen)
    first.refresh_from_db()
    before = Revision.objects.count()
    chosen["_selected_action"] = [first.pk, second.pk]
    admin_client.post(reverse("admin:billing_apikey_changelist"), chosen)
    assert Revision.objects.first().parts == [f"key:{second.public_id}"]
    assert Revision.objects.count() == before + 1
    assert ApiKey.objects.get(pk=first.pk).revoked_at == first.revoked_at
    assert ApiKey.objects.get(pk=second.pk).revoked_at is not None

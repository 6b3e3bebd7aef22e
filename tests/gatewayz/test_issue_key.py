from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.access import keys
from billing.models import Account, ApiKey, Plan
from catalog.models import Revision

pytestmark = pytest.mark.django_db


def issue(*arguments: str) -> str:
    out = StringIO()
    call_command("issue_key", *arguments, stdout=out)
    return out.getvalue()


def test_the_key_stands_alone_on_stdout() -> None:
    printed = issue("--account", "Acme, research", "--credit", "12.50", "--name", "laptop")
    token = printed.removesuffix("\n")
    assert keys.wellformed(token)
    row = ApiKey.objects.get(digest=keys.digests(token)[0])
    assert (row.name, row.account.name, row.account.plan.name) == (
        "laptop",
        "Acme, research",
        "default",
    )
    assert row.account.balance_nano == 12_500_000_000
    assert Revision.objects.first().summary == "issued a key to Acme, research"


def test_a_second_key_is_the_same_accounts() -> None:
    issue("--account", "Acme", "--credit", "1")
    issue("--account", "Acme", "--credit", "2")
    account = Account.objects.get()
    assert account.keys.count() == 2
    assert account.balance_nano == 3 * 10**9


def test_a_new_account_gets_the_named_plan() -> None:
    Plan.objects.create(name="pro")
    issue("--account", "Acme", "--plan", "pro")
    assert Account.objects.get().plan.name == "pro"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--credit", "ten"], "ten is no amount"),
        (["--credit", "0"], "more than nothing"),
        (["--credit", "-1"], "more than nothing"),
        (["--credit", "1e12"], "At most 1,000,000,000 USD"),
        (["--credit", "NaN"], "At most"),
        (["--plan", "gold"], "There is no plan gold; there are: default."),
        (["--name", "x" * 101], "at most 100 characters"),
    ],
)
def test_a_mistake_writes_nothing(arguments: list[str], sentence: str) -> None:
    before = Revision.objects.count()
    with pytest.raises(CommandError, match=sentence):
        issue("--account", "Acme", *arguments)
    assert not Account.objects.exists()
    assert not ApiKey.objects.exists()
    assert Revision.objects.count() == before


def test_another_plan_than_the_accounts_own_is_refused() -> None:
    issue("--account", "Acme")
    with pytest.raises(CommandError, match="on the plan default already"):
        issue("--account", "Acme", "--plan", "gold")

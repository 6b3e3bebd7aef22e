"""Issue an API key, for an account that is made when it is not there."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from billing import money
from billing.ledger.credits import credit as book
from billing.models import Account, ApiKey, Plan
from providers.configuration import one_revision

AUTHOR = "issue_key"


class Command(BaseCommand):
    help = "Print a new API key, alone, on stdout. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="who pays; made when missing")
        parser.add_argument("--credit", metavar="USD", help="money to add: 12.50")
        parser.add_argument("--plan", help="of a new account; default: default")
        parser.add_argument("--name", default="", help="what the key is for: laptop")
        parser.add_argument(
            "--test", action="store_true", help="costs nothing, reaches only the built-in echo"
        )
        parser.add_argument(
            "--management", action="store_true", help="may manage the account's keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = issue(
                options["account"],
                options["plan"],
                options["credit"],
                name=options["name"],
                is_test=options["test"],
                is_management=options["management"],
            )
        except money.BadAmount as problem:
            raise CommandError(f"--credit: {problem}") from problem
        except ValidationError as problem:
            raise CommandError("; ".join(problem.messages)) from problem
        self.stdout.write(token)


def issue(account_name: str, plan_name: str | None, amount: str | None, **fields: Any) -> str:
    """Return the new key, with `fields` of its row; on any error nothing was written."""
    with one_revision(f"issued a key to {account_name}"):
        account = account_for(account_name, plan_name)
        if amount is not None:
            book(account, positive(amount), "credit with a new key", AUTHOR)
        row = ApiKey(account=account, **fields)
        token = row.mint()
        row.full_clean()
        row.save()
    return token


def account_for(name: str, plan_name: str | None) -> Account:
    account = Account.objects.select_related("plan").filter(name=name).first()
    if account is None:
        account = Account(name=name, plan=plan_called(plan_name or "default"))
        account.full_clean()
        account.save()
    elif plan_name and account.plan.name != plan_name:
        raise CommandError(f"{name} is on the plan {account.plan} already; change it in admin.")
    return account


def plan_called(name: str) -> Plan:
    plan = Plan.objects.filter(name=name).first()
    if plan is None:
        known = ", ".join(Plan.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no plan {name}; there are: {known}.")
    return plan


def positive(credit: str) -> int:
    amount = money.nano(credit)
    if amount <= 0:
        raise money.BadAmount("Give more than nothing.")
    return amount

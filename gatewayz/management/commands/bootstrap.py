"""The first admin and the first key of a new installation, shown once."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from billing.ledger.credits import credit
from billing.models import Account, ApiKey, Plan
from billing.money import NANO_PER_USD
from providers.configuration import acting_as

CREDIT_USD = 100
CURL = """\
  curl {base}/v1/chat/completions \\
    -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"model": "echo", "messages": [{{"role": "user", "content": "Hello, Gatewayz!"}}]}}'
"""


class Command(BaseCommand):
    help = "Make the first admin and the first API key, and show them once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        host = "localhost" if options["host"] in ("0.0.0.0", "::") else options["host"]
        base = f"http://{host}:{options['port']}"
        with transaction.atomic(), acting_as("bootstrap"):
            password, key = first_admin(), first_key()
        self.stdout.write(f"Admin    {base}/admin/")
        if password:
            self.stdout.write(f"         user admin, password {password}")
        if key:
            self.stdout.write(f"API key  {key}")
            self.stdout.write("         Neither is shown again. A first request:\n")
            self.stdout.write(CURL.format(base=base, key=key))


def first_admin() -> str:
    """Return the password of a new admin; nothing where there is one already."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    return password


def first_key() -> str:
    """Return a new key of the operator's own account; nothing where there is a key already."""
    if ApiKey.objects.exists():
        return ""
    plan = Plan.objects.get_or_create(name="default")[0]
    account, fresh = Account.objects.get_or_create(name="operator", defaults={"plan": plan})
    if fresh:
        credit(account, CREDIT_USD * NANO_PER_USD, "first credit", "bootstrap")
    return ApiKey.issue(account, "first key")[1]

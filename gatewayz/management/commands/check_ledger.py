"""Prove the ledger: balances, postings, holds, leases and usage say the same."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.transaction import atomic

from billing.ledger.checking import CHECKS, differences


class Command(BaseCommand):
    help = "Prove that balances, postings, holds, leases and usage agree; exit 1 if they do not."

    def handle(self, *args: Any, **options: Any) -> None:
        with atomic():
            found = differences()
        for difference in found:
            self.stdout.write(difference)
        if found:
            raise CommandError(f"{len(found)} differences")
        proven = "; ".join((check.__doc__ or "").splitlines()[0].rstrip(".") for check in CHECKS)
        self.stdout.write(f"The ledger is right. {proven}.")

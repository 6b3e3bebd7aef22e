"""Give back what a node held that will not return."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Max, Sum

from billing import money
from billing.leases.models import Lease
from billing.leases.recovery import release

RISK = (
    "If the node is alive, what its processes admit now is charged all the same and may take an "
    "account below zero; if its journals come back, they are booked then."
)


class Command(BaseCommand):
    help = f"Without --node, show what nodes hold. With it, release all that one holds. {RISK}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--node", help="as shown without it; only one that never returns")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["node"] is None:
            self._show()
            return
        leases = Lease.objects.filter(node=options["node"])
        if not leases.exists():
            raise CommandError(f"No node {options['node']} holds anything.")
        count = release(leases, f"{options['node']} does not return", "release_leases")
        self.stdout.write(f"{count} leases released. {RISK}")

    def _show(self) -> None:
        rows = Lease.objects.order_by("node").values("node")
        found = rows.annotate(count=Count("pk"), held=Sum("amount_nano"), last=Max("touched_at"))
        for row in found:
            self.stdout.write(
                f"{row['node']}  {row['count']} leases  {money.written(row['held'])}  "
                f"last asked {row['last']:%Y-%m-%d %H:%M:%S} UTC"
            )
        if not found:
            self.stdout.write("No node holds anything.")

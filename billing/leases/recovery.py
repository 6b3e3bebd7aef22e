"""Gives back what processes held that are gone."""

import logging
from pathlib import Path

from django.db.models import QuerySet
from django.db.transaction import atomic

from billing.leases.models import Lease
from billing.leases.owners import journals_of, lives, node_of
from billing.ledger.models import new_id
from billing.ledger.posting import Because, Side, customer, holds, post
from billing.models import Account

BATCH = 200
log = logging.getLogger(__name__)


def gone(folder: Path) -> set[str]:
    """Return the processes of a folder's node that hold leases and live no more."""
    rows = Lease.objects.filter(node=node_of(folder)).order_by()
    processes = set(rows.values_list("process", flat=True).distinct())
    return {process for process in processes if not lives(folder, process)}


def release_booked(folder: Path, processes: set[str]) -> None:
    """Release the leases of processes that are gone, once their journals are booked."""
    booked = sorted(process for process in processes if not journals_of(folder, process))
    for process in booked:
        count = release(Lease.objects.filter(process=process), f"{process} is gone")
        log.warning("%s leases of %s were released", count, process)


def release(leases: QuerySet, reason: str, author: str = "bookkeeper") -> int:
    """Give accounts back what these leases hold; return how many leases that were."""
    total = 0
    while True:
        with atomic():
            found = leases.order_by("account").values_list("account_id", flat=True)[:BATCH]
            if not (accounts := set(found)):
                return total
            Account.objects.lock(accounts)
            rows = list(leases.filter(account_id__in=accounts))
            amounts: dict[Side, int] = {}
            for row in rows:
                for side, sign in ((customer(row.account_id), 1), (holds(row.account_id), -1)):
                    amounts[side] = amounts.get(side, 0) + sign * row.amount_nano
            if any(amounts.values()):
                post(Because("hold", f"hold:{new_id()}", reason, author), amounts)
            Lease.objects.filter(pk__in=[row.pk for row in rows]).delete()
            total += len(rows)

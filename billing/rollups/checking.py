"""Proves that usage rows, those that are gone included, cost what the ledger charged."""

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.transaction import atomic

from billing.ledger.models import Posting
from billing.models import UsageRow
from billing.money import written
from billing.rollups.models import DailyUsage, HourlyUsage, Progress

MOST_SHOWN = 100


def usage() -> list[str]:
    """What usage rows cost is what their transactions charged; deleted ones are compared in sum."""
    with atomic():
        progress = Progress.locked()
        return one_by_one(progress) + loose() + in_sum(progress) + rolled_up(progress)


def charged() -> QuerySet[Posting]:
    return Posting.objects.filter(ledger_account__kind="revenue", transaction__kind="usage")


def one_by_one(progress: Progress) -> list[str]:
    whole = charged()
    if progress.deleted_booked_at:
        whole = whole.filter(transaction__created_at__gt=progress.deleted_booked_at)
    rows = whole.values("transaction").annotate(
        total=Sum("amount_nano"), cost=Coalesce(Subquery(cost_of_rows()), 0)
    )
    return [
        f"transaction {row['transaction']}: charged {written(row['total'])}, "
        f"its usage rows cost {written(row['cost'])}"
        for row in rows.exclude(total=F("cost"))[:MOST_SHOWN]
    ]


def cost_of_rows() -> QuerySet:
    rows = UsageRow.objects.filter(transaction=OuterRef("transaction")).order_by()
    return rows.values("transaction").annotate(cost=Sum("cost_nano")).values("cost")


def loose() -> list[str]:
    rows = UsageRow.objects.filter(transaction=None, cost_nano__gt=0)[:MOST_SHOWN]
    return [
        f"request {row}: its cost of {written(row.cost_nano)} is in no transaction" for row in rows
    ]


def in_sum(progress: Progress) -> list[str]:
    """Transactions of which rows may be gone are compared together."""
    until = progress.deleted_booked_at
    if until is None:
        return []
    total = charged().filter(transaction__created_at__lte=until)
    taken = total.aggregate(total=Sum("amount_nano"))["total"] or 0
    kept = UsageRow.objects.filter(transaction__created_at__lte=until)
    cost = (kept.aggregate(cost=Sum("cost_nano"))["cost"] or 0) + progress.deleted_cost_nano
    if taken == cost:
        return []
    return [
        f"until {until:%Y-%m-%d %H:%M}: charged {written(taken)}, "
        f"usage rows and deleted ones cost {written(cost)}"
    ]


def rolled_up(progress: Progress) -> list[str]:
    """The sums by hour and by day are those of the rows, deleted ones included."""
    kept = UsageRow.objects.filter(pk__lte=progress.rolled_through)
    rows = kept.aggregate(requests=Count("pk"), cost=Coalesce(Sum("cost_nano"), 0))
    requests = rows["requests"] + progress.deleted_rows
    cost = rows["cost"] + progress.deleted_cost_nano
    found = {"hourly": total(HourlyUsage), "daily": total(DailyUsage)}
    return [
        f"{name} sums say {sums[0]} requests for {written(sums[1])}, "
        f"usage rows {requests} for {written(cost)}"
        for name, sums in found.items()
        if sums != (requests, cost)
    ]


def total(kind: type[HourlyUsage] | type[DailyUsage]) -> tuple[int, int]:
    sums = kind.objects.aggregate(requests=Sum("requests"), cost=Sum("cost_nano"))
    return sums["requests"] or 0, sums["cost"] or 0

"""What was spent of budgets, in the database: added to as usage is booked, read by counters."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from django.db.models import F, Q, Sum
from django.utils import timezone

from billing.among import Among
from billing.books.records import Record
from billing.limits.models import Budget, BudgetSpend
from billing.limits.notices import notice
from billing.limits.periods import NEVER, moment, period_of
from billing.models import ApiKey, UsageRow
from catalog.glance import glance

Period = tuple[int, int]
ANY_BUDGET = f"SELECT 1 FROM {Budget._meta.db_table} WHERE enabled LIMIT 1"
NEWS = (
    "SELECT COUNT(*), SUM(spent_nano), MAX(updated_at) "
    f"FROM {BudgetSpend._meta.db_table} WHERE updated_at >= %s"
)


def count(records: Sequence[Record]) -> None:
    """Add the cost of what was just booked to its budgets. Call it inside that transaction, once
    the usage rows are there."""
    paid = [record for record in records if record.cost_nano]
    if not paid or not glance(ANY_BUDGET):
        return
    for budget, keys in concerned(paid):
        costs: Counter[Period] = Counter()
        for record in paid:
            if record.key_id in keys or record.account_id == budget.account_id:
                costs[period_of(budget.period, record.at)] += record.cost_nano or 0
        for period, cost in sorted(costs.items()):
            add(budget, period, cost)


def concerned(records: Iterable[Record]) -> Iterator[tuple[Budget, Collection[str]]]:
    """Yield the budgets of those who paid, each with the keys that spend from it, unless it is an
    account's, in the one order in which they are changed."""
    accounts = {record.account_id for record in records}
    keys = {record.key_id for record in records}
    held = ApiKey.objects.filter(Among("public_id", keys), holder__isnull=False)
    mine = Q(Among("account_id", accounts)) | Q(Among("key__public_id", keys))
    mine |= Q(member__user__in=held.values("holder"))
    budgets = Budget.objects.filter(mine, enabled=True).select_related("key", "member")
    for budget in budgets.order_by("pk"):
        if budget.account_id:
            yield budget, ()
        elif budget.key is not None:
            yield budget, {budget.key.public_id}
        else:
            here = budget.keys().filter(Among("public_id", keys))
            yield budget, set(here.values_list("public_id", flat=True))


def add(budget: Budget, period: Period, cost_nano: int) -> None:
    """Add to a period's row; the first one begins with what the period's usage sums to."""
    now, began_at = timezone.now(), moment(period[0])
    rows = BudgetSpend.objects.filter(budget=budget, period_began_at=began_at)
    if not rows.update(spent_nano=F("spent_nano") + cost_nano, updated_at=now):
        begun = {"spent_nano": summed(budget, period), "updated_at": now}
        _, fresh = BudgetSpend.objects.get_or_create(
            budget=budget, period_began_at=began_at, defaults=begun
        )
        if not fresh:  # another node's bookkeeper was first, and knew nothing of this cost
            rows.update(spent_nano=F("spent_nano") + cost_nano, updated_at=now)
    spent = rows.values_list("spent_nano", flat=True).get()
    if budget.soft_nano is not None and spent >= budget.soft_nano:
        notice(budget.pk, began_at, "soft", spent)


def summed(budget: Budget, period: Period) -> int:
    """Return what the usage of a period sums to, by an index of the key or the account."""
    rows = UsageRow.objects.filter(created_at__gte=moment(period[0]))
    if period[1] < NEVER:
        rows = rows.filter(created_at__lt=moment(period[1]))
    if budget.account_id:
        rows = rows.filter(account=budget.account_id)
    else:
        rows = rows.filter(key_id__in=budget.keys().values("public_id"))
    return rows.order_by().aggregate(total=Sum("cost_nano"))["total"] or 0


def spent_of(budget_ids: Iterable[int], now_s: float) -> Iterator[tuple[int, int, int]]:
    """Yield each budget's id, the begin of its period now, and what was booked in it."""
    for budget in Budget.objects.filter(pk__in=budget_ids).select_related("member"):
        period = period_of(budget.period, now_s)
        rows = BudgetSpend.objects.filter(budget=budget, period_began_at=moment(period[0]))
        spent = rows.values_list("spent_nano", flat=True).first()
        yield budget.pk, period[0], summed(budget, period) if spent is None else spent


def news(since: datetime) -> list[tuple[object, ...]]:
    """Return what differs from before if something was booked since then that was not there."""
    return glance(NEWS, since)


def changed_since(since: datetime) -> Iterator[tuple[Budget, int, int]]:
    """Yield the budgets of which something was booked since then, by the rows' own times."""
    rows = BudgetSpend.objects.filter(updated_at__gte=since).select_related("budget__member")
    for row in rows:
        yield row.budget, int(row.period_began_at.timestamp()), row.spent_nano


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What a batch of records becomes in the database: usage rows, postings, and smaller leases."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db import connection

from billing.among import Among
from billing.books.records import Record
from billing.books.usage_rows import insert
from billing.leases.models import Lease
from billing.ledger.models import new_id
from billing.ledger.posting import REVENUE, Because, Side, customer, holds, post
from billing.limits import spends
from billing.models import Account

COLUMNS = ("pk", "process", "account_id", "amount_nano")
SHRINK = "UPDATE leases_lease SET amount_nano = amount_nano - %s WHERE id = %s"
LeaseKey = tuple[str, int]  # process, account


def enter(fresh: Sequence[Record]) -> None:
    """Book records that were not booked before. The caller has a transaction open.

    The rows come first, so that the accounts are locked for a short time only.
    """
    amounts = costs_of_providers(fresh)
    charged = [record for record in fresh if record.cost_nano]
    transaction_id = new_id()
    insert(fresh, transaction_id)
    spends.count(fresh)
    if charged:
        amounts |= charges(charged)
    if amounts:
        post(Because("usage", f"usage:{transaction_id}", id=transaction_id), amounts)


def charges(charged: Sequence[Record]) -> dict[Side, int]:
    """Return who pays: what was held for a request first, and its account for what is above.

    The leases become smaller by what was held. Locks the accounts, in order.
    """
    owed: Counter[int] = Counter()
    held: Counter[LeaseKey] = Counter()
    for record in charged:
        cost = record.cost_nano or 0
        owed[record.account_id] += cost
        if record.lease:
            held[record.lease, record.account_id] += min(cost, record.hold_nano)
    Account.objects.lock(owed)
    covered = shrink(held)
    amounts: dict[Side, int] = {REVENUE: sum(owed.values())}
    for account_id, cost in owed.items():
        amounts[holds(account_id)] = -covered[account_id]
        amounts[customer(account_id)] = covered[account_id] - cost
    return amounts


def shrink(held: Counter[LeaseKey]) -> Counter[int]:
    """Take from leases what requests used of them; return how much that was, by account.

    A lease that was released from outside covers what it still has.
    """
    covered: Counter[int] = Counter()
    processes = {process for process, _ in held}
    accounts = {account_id for _, account_id in held}
    rows = Lease.objects.filter(Among("account_id", accounts), process__in=processes)
    changes = []
    for pk, process, account_id, amount in rows.order_by("pk").values_list(*COLUMNS):
        if used := min(held[process, account_id], amount):
            covered[account_id] += used
            changes.append((used, pk))
    if changes:
        with connection.cursor() as cursor:
            cursor.executemany(SHRINK, changes)
    return covered


def costs_of_providers(fresh: Sequence[Record]) -> dict[Side, int]:
    """Return what we owe: for answers, and for attempts that may have been billed."""
    costs: defaultdict[str, int] = defaultdict(int)
    for record in fresh:
        if record.provider_cost_nano:
            costs[record.provider] += record.provider_cost_nano
        for attempt in record.attempts:
            if attempt.cost_nano:
                costs[attempt.provider] += attempt.cost_nano
    amounts: dict[Side, int] = {}
    for provider, cost in costs.items():
        amounts[Side("provider_cost", provider=provider)] = cost
        amounts[Side("provider_payable", provider=provider)] = -cost
    return amounts

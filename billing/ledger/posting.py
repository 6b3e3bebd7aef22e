"""Books transactions: postings, and the balances that follow from them, in one piece."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.transaction import atomic
from django.utils import timezone

from billing import money
from billing.among import Among
from billing.ledger.models import (
    CUSTOMER,
    HOLDS,
    OWNED,
    LedgerAccount,
    Posting,
    Transaction,
    new_id,
)

# A batch of requests may concern a thousand accounts: the ORM's statements cost more than the rest.
MOVE = """UPDATE billing_account SET balance_nano = balance_nano + %s, held_nano = held_nano + %s
WHERE id = %s AND balance_nano BETWEEN %s AND %s"""
INSERT = """INSERT INTO ledger_posting (transaction_id, ledger_account_id, amount_nano)
VALUES (%s, %s, %s)"""
LEAST = 1 - 2**63  # of what a column holds
MOST_NANO = 8 * 10**18  # an account's balance stays within; with one more posting it still fits


class AlreadyBooked(Exception):
    """A transaction with this reference is there already; nothing was written."""


class Side(NamedTuple):
    """Names a ledger account; it is made when it is first posted to."""

    kind: str
    account_id: int | None = None
    provider: str = ""


REVENUE = Side("revenue")
PAYMENTS = Side("payments")
ADJUSTMENTS = Side("adjustments")
PROMOTIONS = Side("promotions")


def customer(account_id: int) -> Side:
    return Side(CUSTOMER, account_id)


def holds(account_id: int) -> Side:
    return Side(HOLDS, account_id)


@dataclass(frozen=True, slots=True)
class Because:
    """What a transaction says of itself. reference: unique, names what is booked. id: for rows that
    name the transaction before it is there."""

    kind: str
    reference: str
    reason: str = ""
    author: str = ""
    at: datetime | None = None
    id: UUID = field(default_factory=new_id)


def post(because: Because, amounts: Mapping[Side, int]) -> UUID:
    """Book `amounts`, in nano-USD by side, and move the balances; return the transaction's id.

    Sides with zero are left out. Raises AlreadyBooked, or money.BadAmount where a balance would
    leave its range or the amounts do not sum to zero; nothing is written then.
    """
    amounts = {side: amount for side, amount in amounts.items() if amount != 0}
    total: int = sum(amounts.values())
    if not amounts or total != 0:
        raise money.BadAmount("The two sides of a transaction must be equal, and not zero.")
    if Transaction.objects.filter(reference=because.reference).exists():
        raise AlreadyBooked(because.reference)
    try:
        with atomic():
            return write(because, amounts)
    except IntegrityError as problem:
        if Transaction.objects.filter(reference=because.reference).exists():
            raise AlreadyBooked(because.reference) from problem
        raise


def write(because: Because, amounts: Mapping[Side, int]) -> UUID:
    move_balances(amounts)  # locks the accounts, in order, before anything else is written
    ids = ids_of(amounts)
    transaction_id = because.id
    key = Posting._meta.get_field("transaction").get_db_prep_value(transaction_id, connection)
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, [(key, ids[side], amounts[side]) for side in amounts])
    Transaction.objects.create(
        id=transaction_id,
        kind=because.kind,
        reference=because.reference,
        reason=because.reason[:300],
        author=because.author[:150],
        created_at=because.at or timezone.now(),
    )
    return transaction_id


def move_balances(amounts: Mapping[Side, int]) -> None:
    """Change what accounts own and what of it is held, as the postings say."""
    owned: defaultdict[int, int] = defaultdict(int)
    held: defaultdict[int, int] = defaultdict(int)
    for side, amount in amounts.items():
        if side.kind in OWNED and side.account_id is not None:
            owned[side.account_id] += amount
            held[side.account_id] += amount if side.kind == HOLDS else 0
    changes = [
        (amount, held[pk], pk, max(-MOST_NANO - amount, LEAST), min(MOST_NANO - amount, -LEAST))
        for pk, amount in sorted(owned.items())
    ]
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.executemany(MOVE, changes)
        if cursor.rowcount < len(changes):
            raise money.BadAmount("No account's balance may grow that large.")


def ids_of(sides: Collection[Side]) -> dict[Side, int]:
    """Return the primary keys of ledger accounts; those that are missing are made."""
    found = read_ids(sides)
    missing = sorted({side for side in sides if side not in found}, key=repr)
    if missing:
        LedgerAccount.objects.bulk_create(
            [
                LedgerAccount(kind=side.kind, account_id=side.account_id, provider=side.provider)
                for side in missing
            ],
            ignore_conflicts=True,
        )
        found |= read_ids(missing)
    return found


def read_ids(sides: Collection[Side]) -> dict[Side, int]:
    accounts = {side.account_id for side in sides if side.account_id is not None}
    kinds = {side.kind for side in sides}
    of_kind = LedgerAccount.objects.filter(kind__in=kinds).order_by()
    columns = of_kind.values_list("pk", *Side._fields)
    owned = columns.filter(Among("account_id", accounts)) if accounts else ()
    rows = chain(owned, columns.filter(account=None))
    return {Side._make(side): pk for pk, *side in rows}

"""Moves money between an account and a process's lease, in one transaction with its postings."""

from dataclasses import dataclass, replace

from django.db import Error, close_old_connections
from django.db.models import F
from django.db.transaction import atomic
from django.utils import timezone

from billing import money
from billing.leases.calling import call
from billing.leases.models import Lease
from billing.ledger.models import HOLDS, Posting, new_id
from billing.ledger.posting import Because, customer, holds, post
from billing.models import Account
from catalog.glance import glance

ASKED = f"SELECT account_id FROM {Lease._meta.db_table} WHERE asking AND process <> %s"
SHARE = 16  # a slice is at most this part of what is left, so that others find something, too


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that holds leases, and the node that it runs on."""

    node: str
    process: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a process asks of one account, in nano-USD.

    back: idle money that it gives back first. keep: idle money that it goes on holding. wants:
    holds, in the order in which they came. spare: what it would like to have beside them.
    """

    back: int = 0
    keep: int = 0
    wants: tuple[int, ...] = ()
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a wish. elsewhere: other processes hold money that may be idle; asked: they
    were told that somebody waits for it."""

    granted: tuple[bool, ...] = ()
    spare: int = 0
    balance_nano: int = 0
    held_nano: int = 0
    elsewhere: bool = False
    asked: bool = False


class NotMoved(Exception):
    """The database did not answer, and nothing was moved."""


class Unsure(Exception):
    """The database did not say whether it was moved. `reference` will tell; by `delta_nano`."""

    def __init__(self, reference: str, delta_nano: int) -> None:
        super().__init__(reference)
        self.reference = reference
        self.delta_nano = delta_nano


def decide(spendable: int, wish: Wish, contested: bool) -> tuple[tuple[bool, ...], int]:
    """Return which holds fit, each in its turn, and how much is given beside them.

    No slice is given where it would be smaller than a hold, where a hold was refused, or while
    another process waits (`contested`): there each request asks for itself.
    """
    left = spendable + wish.back
    granted = []
    for want in wish.wants:
        granted.append(want <= left)
        left -= want if want <= left else 0
    if contested or not all(granted):
        return tuple(granted), 0
    spare = min(wish.spare, left // SHARE)
    return tuple(granted), spare if spare >= max(wish.wants, default=1) else 0


class Bank:
    """The accounts as one process sees them. Its methods are for threads beside the event loop."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def move(self, account_id: int, wish: Wish) -> Moved:
        """Give back and take; raises NotMoved or Unsure."""
        reference = f"hold:{new_id()}"
        delta: int | None = None
        try:
            with atomic():
                moved, delta = self._move(account_id, wish, reference)
        except Error as problem:
            raise (NotMoved() if delta is None else Unsure(reference, delta)) from problem
        finally:
            close_old_connections()
        if moved.asked:
            call(account_id)
        return moved

    def _move(self, account_id: int, wish: Wish, reference: str) -> tuple[Moved, int]:
        rows = Account.objects.select_for_update(no_key=True).filter(pk=account_id)
        found = rows.values_list("balance_nano", "held_nano", "credit_limit").first()
        if found is None:
            return Moved(tuple(False for _ in wish.wants)), 0
        balance, held, limit = found
        leases = {row.process: row for row in Lease.objects.filter(account_id=account_id)}
        mine = leases.pop(self.owner.process, None)
        contested = any(row.asking for row in leases.values())
        elsewhere = any(row.spare for row in leases.values())
        # A lease that was released from outside holds less than its process believes.
        wish = replace(wish, back=min(wish.back, mine.amount_nano if mine else 0))
        granted, spare = decide(balance + money.nano(limit) - held, wish, contested)
        asked = elsewhere and not all(granted)
        taken = sum(want for want, fits in zip(wish.wants, granted, strict=True) if fits)
        delta = taken + spare - wish.back
        if delta:
            because = Because("hold", reference, author=self.owner.process)
            post(because, {customer(account_id): -delta, holds(account_id): delta})
        self._write(account_id, mine, delta, bool(spare or wish.keep), asked)
        return Moved(granted, spare, balance, held + delta, elsewhere, asked), delta

    def _write(
        self, account_id: int, mine: Lease | None, delta: int, spare: bool, asked: bool
    ) -> None:
        rows = Lease.objects.filter(process=self.owner.process, account_id=account_id)
        amount = delta + (mine.amount_nano if mine else 0)
        if not amount and not asked:
            rows.delete()
            return
        said = {"spare": spare, "asking": asked, "touched_at": timezone.now()}
        if mine is not None:
            rows.update(amount_nano=F("amount_nano") + delta, **said)
        else:
            Lease.objects.create(
                account_id=account_id,
                node=self.owner.node,
                process=self.owner.process,
                amount_nano=delta,
                **said,
            )

    def was_moved(self, account_id: int, reference: str) -> bool:
        """Find out about an Unsure; raises NotMoved while the database does not answer.

        The account's lock waits for a transaction that the database may still be finishing.
        """
        try:
            with atomic():
                Account.objects.lock([account_id])
                sides = Posting.objects.filter(ledger_account__kind=HOLDS)
                return sides.filter(transaction__reference=reference).exists()
        except Error as problem:
            raise NotMoved from problem
        finally:
            close_old_connections()

    def asked(self) -> set[int]:
        """Return the accounts of which other processes wait for money; raises NotMoved."""
        try:
            return {account_id for (account_id,) in glance(ASKED, self.owner.process)}
        except Error as problem:
            close_old_connections()
            raise NotMoved from problem

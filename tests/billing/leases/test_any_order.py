"""Whatever processes take, settle and journal, and whenever they die: the ledger is the same.

A model of plain numbers against the real bank, journal and bookkeeper on a database.
"""

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.books.booking import Bookkeeper
from billing.books.records import Record, encode
from billing.leases.models import Lease
from billing.leases.moving import Bank, Owner, Wish
from billing.leases.owners import new_process, node_of
from billing.ledger.checking import differences
from billing.models import Account, UsageRow
from tests.billing.ledgers import account
from tests.billing.lines import opened, record

pytestmark = pytest.mark.django_db
CREDIT = 1000
PROCESSES = 3
SIZES = st.integers(1, 400)
WHO = st.integers(0, PROCESSES - 1)
STEPS = st.one_of(
    st.tuples(st.just("take"), WHO, SIZES, st.integers(0, 300)),
    st.tuples(st.just("open"), WHO, SIZES),
    st.tuples(st.just("settle"), WHO, st.integers(0, 600)),
    st.tuples(st.just("give back"), WHO),
    st.tuples(st.just("die"), WHO, st.floats(0, 1)),
    st.tuples(st.just("repeat"), WHO, st.integers(0, 20)),
    st.tuples(st.just("book")),
    st.tuples(st.just("book anew")),
)


@dataclass
class Process:
    """One run of a web process: what it holds, and what it wrote."""

    folder: Path
    account_id: int
    name: str = ""
    idle: int = 0
    holds: list[tuple[str, int, bool]] = field(default_factory=list)  # request, hold, streams
    lines: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.name = new_process(node_of(self.folder))
        self.path = self.folder / f"{os.urandom(4).hex().translate(DIGITS)}-{self.name}.jsonl"
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        self.idle, self.holds, self.lines = 0, [], []

    @property
    def bank(self) -> Bank:
        return Bank(Owner(node_of(self.folder), self.name))

    def take(self, size: int, spare: int) -> None:
        if self.idle < size:
            moved = self.bank.move(self.account_id, Wish(wants=(size,), spare=spare))
            self.idle += moved.spare + (size if moved.granted[0] else 0)
        if self.idle >= size:
            self.idle -= size
            self.holds.append((os.urandom(8).hex(), size, False))

    def open(self, estimate: int) -> None:
        if self.holds and not self.holds[0][2]:
            name, hold, _ = self.holds.pop(0)
            self.holds.append((name, hold, True))
            self.write(opened(name, self.account_id, min(estimate, hold)), hold)

    def settle(self, cost: int) -> None:
        if self.holds:
            name, hold, _ = self.holds.pop(0)
            self.write(record(name, self.account_id, cost), hold)
            self.idle += max(0, hold - cost)

    def write(self, line: Record, hold: int) -> None:
        line.hold_nano, line.lease = hold, self.name
        self.lines.append(line)
        os.write(self.descriptor, encode(line) + b"\n")

    def give_back(self) -> None:
        self.bank.move(self.account_id, Wish(back=self.idle))
        self.idle = 0

    def repeat(self, number: int) -> None:
        """Write a line again that is there: a journal that was restored, or copied."""
        if self.lines:
            line = self.lines[number % len(self.lines)]
            os.write(self.descriptor, encode(line) + b"\n")

    def die(self, cut: float) -> list[Record]:
        """Leave, in the middle of a line perhaps; return what was written."""
        os.write(self.descriptor, encode(record("torn", self.account_id))[: int(40 * cut)])
        os.close(self.descriptor)
        written = self.lines
        self.begin()
        return written


DIGITS = str.maketrans("abcdef", "012345")


def expected(lines: list[Record]) -> dict[str, int]:
    """Return what each request costs: its end says so, or else its beginning."""
    costs: dict[str, int] = {}
    for line in sorted(lines, key=lambda line: not line.opened):
        costs[line.request_id] = line.cost_nano or 0
    return costs


@settings(
    max_examples=80,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=30))
def test_every_order_gives_the_same_ledger(steps: list[tuple]) -> None:
    with TemporaryDirectory() as name, transaction.atomic():
        folder, acme = Path(name), account(nano=CREDIT)
        processes = [Process(folder, acme.pk) for _ in range(PROCESSES)]
        keeper, written = Bookkeeper(folder), []
        for what, *args in steps:
            if what == "book":
                keeper.run_once()
                assert differences() == []
            elif what == "book anew":
                keeper = Bookkeeper(folder)
            elif what == "die":
                written += processes[args[0]].die(args[1])
            else:
                getattr(processes[args[0]], what.replace(" ", "_"))(*args[1:])
        for process in processes:
            written += process.die(0.5)
        keeper.run_once()
        Bookkeeper(folder).run_once()
        costs = expected(written)
        assert dict(UsageRow.objects.values_list("request_id", "cost_nano")) == costs
        assert not Lease.objects.filter(amount_nano__gt=0).exists()
        assert differences() == []
        acme.refresh_from_db()
        assert (acme.balance_nano, acme.held_nano) == (CREDIT - sum(costs.values()), 0)
        for process in processes:
            os.close(process.descriptor)
        transaction.set_rollback(True)


def test_a_cost_above_the_hold_is_charged_to_the_account(tmp_path: Path) -> None:
    acme = account(nano=CREDIT)
    process = Process(tmp_path, acme.pk)
    process.take(CREDIT, 0)
    process.settle(CREDIT + 250)
    process.die(0)
    Bookkeeper(tmp_path).run_once()
    acme.refresh_from_db()
    assert (acme.balance_nano, acme.held_nano) == (-250, 0)
    assert differences() == []


def test_what_a_process_held_goes_back_when_it_is_gone_and_not_before(tmp_path: Path) -> None:
    acme, keeper = account(nano=CREDIT), Bookkeeper(tmp_path)
    process = Process(tmp_path, acme.pk)
    process.take(100, 0)
    process.settle(30)
    process.take(50, 0)
    keeper.run_once()
    assert Account.objects.get().held_nano == 70
    process.die(0)
    keeper.run_once()
    row = Account.objects.get()
    assert (row.balance_nano, row.held_nano) == (CREDIT - 30, 0)


def test_another_nodes_processes_are_left_alone(tmp_path: Path) -> None:
    acme = account(nano=CREDIT)
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
    process = Process(there, acme.pk)
    process.take(100, 0)
    process.die(0)
    Bookkeeper(here).run_once()
    assert Account.objects.get().held_nano == 100
    Bookkeeper(there).run_once()
    assert Account.objects.get().held_nano == 0

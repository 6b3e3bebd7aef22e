"""Journals become rows and balances, once each, whatever was killed and whenever."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.books.booking import Bookkeeper, only
from billing.books.journal import Journal
from billing.books.records import Record, encode
from billing.models import Account, JournalFile
from providers.values import Usage
from tests.billing.ledgers import account, balance_fits, booked
from tests.billing.lines import opened, record

pytestmark = pytest.mark.django_db
COUNT = 4


@pytest.fixture
def acme() -> Account:
    return account()


def lines(*records: Record) -> bytes:
    return b"".join(encode(one) + b"\n" for one in records)


def left(folder: Path, data: bytes, name: str = "1-1.jsonl") -> Path:
    """Write the journal of a process that is gone."""
    path = folder / name
    path.write_bytes(data)
    return path


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a journal as the process does that still appends to it."""
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def test_a_journal_becomes_rows_and_is_gone(tmp_path: Path, acme: Account) -> None:
    path = left(tmp_path, lines(record("a", acme.pk), record("b", acme.pk, None)))
    assert Bookkeeper(tmp_path).run_once() == 2
    assert booked() == {"a": ("answered", 7), "b": ("answered", None)}
    assert balance_fits(acme)
    assert not path.exists()
    assert not JournalFile.objects.exists()


def test_a_torn_last_line_is_no_line(tmp_path: Path, acme: Account) -> None:
    left(tmp_path, lines(record("a", acme.pk)) + lines(record("b", acme.pk))[:-5])
    Bookkeeper(tmp_path).run_once()
    assert booked() == {"a": ("answered", 7)}
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_is_written_while_it_books_waits_for_the_next_round(
    tmp_path: Path, acme: Account
) -> None:
    """A batch costs more than its requests: after each other, small ones would never end."""
    path = left(tmp_path, lines(record("first", acme.pk)))
    later = iter([lines(record("later", acme.pk))])

    def served(execute, sql, *args):
        if sql.startswith("INSERT INTO billing_usagerow"):
            with path.open("ab") as journal:
                journal.write(next(later, b""))
        return execute(sql, *args)

    keeper = Bookkeeper(tmp_path)
    with held(path), connection.execute_wrapper(served):
        assert keeper.run_once() == 1
        assert keeper.run_once() == 1
    assert booked().keys() == {"first", "later"}


def test_a_line_that_is_being_written_waits_for_its_end(tmp_path: Path, acme: Account) -> None:
    whole = lines(record("a", acme.pk), record("b", acme.pk))
    path = left(tmp_path, whole[:-5])
    keeper = Bookkeeper(tmp_path)
    with held(path):
        assert keeper.run_once() == 1
        path.write_bytes(whole)
        assert keeper.run_once() == 1
        assert path.exists()
    assert booked().keys() == {"a", "b"}


def test_lines_twice_and_blank_and_broken_ones_do_not_matter(tmp_path: Path, acme: Account) -> None:
    one, other = lines(record("a", acme.pk)), lines(record("b", acme.pk))
    torn = other[:40]
    left(tmp_path, one + one + b"\n\n" + torn + b"\n" + other + b"junk\n" + one)
    left(tmp_path, one + other, "2-2.jsonl")
    assert Bookkeeper(tmp_path).run_once() == 2
    assert balance_fits(acme)


def test_a_replayed_journal_books_nothing_again(tmp_path: Path, acme: Account) -> None:
    data = lines(opened("s", acme.pk), record("a", acme.pk))
    for _ in range(3):
        left(tmp_path, data)
        Bookkeeper(tmp_path).run_once()
    assert booked() == {"s": ("interrupted", 2), "a": ("answered", 7)}
    assert balance_fits(acme)


def test_a_stream_is_booked_when_it_ends(tmp_path: Path, acme: Account) -> None:
    path = left(tmp_path, lines(opened("s", acme.pk)))
    keeper = Bookkeeper(tmp_path)
    with held(path):
        assert keeper.run_once() == 0
        with path.open("ab") as file:
            file.write(lines(record("s", acme.pk, 90, stream=True)))
        assert keeper.run_once() == 1
    keeper.run_once()
    assert booked() == {"s": ("answered", 90)}
    assert balance_fits(acme)


def test_a_stream_that_its_client_left_counts_what_was_used(tmp_path: Path, acme: Account) -> None:
    cancelled = record("s", acme.pk, 5, stream=True, status=499, outcome="cancelled")
    left(tmp_path, lines(opened("s", acme.pk), cancelled))
    Bookkeeper(tmp_path).run_once()
    assert booked() == {"s": ("cancelled", 5)}


def test_a_new_bookkeeper_remembers_open_streams(tmp_path: Path, acme: Account) -> None:
    path = left(tmp_path, lines(opened("s", acme.pk), record("a", acme.pk)))
    with held(path):
        Bookkeeper(tmp_path).run_once()
    Bookkeeper(tmp_path).run_once()
    assert booked() == {"s": ("interrupted", 2), "a": ("answered", 7)}


def test_streams_outlive_the_journal_that_they_began_in(tmp_path: Path, acme: Account) -> None:
    journal, keeper = Journal(tmp_path, largest=1500), Bookkeeper(tmp_path)
    journal.write(opened("long", acme.pk))
    journal.write(opened("lost", acme.pk))
    for number in range(20):
        journal.write(record(f"r{number}", acme.pk))
        if number % 3 == 0:
            keeper.run_once()
        if number == 10:
            keeper = Bookkeeper(tmp_path)
    assert "long" not in booked()
    assert len(list(tmp_path.glob("*.jsonl"))) < 4
    journal.write(record("long", acme.pk, 99, stream=True))
    journal.close()
    keeper.run_once()
    rows = booked()
    assert rows.pop("long") == ("answered", 99)
    assert rows.pop("lost") == ("interrupted", 2)
    assert len(rows) == 20
    assert balance_fits(acme)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_journals_that_are_read_late_tell_the_same(tmp_path: Path, acme: Account) -> None:
    journal = Journal(tmp_path, largest=1500)
    journal.write(opened("long", acme.pk))
    for number in range(20):
        journal.write(record(f"r{number}", acme.pk))
    journal.write(record("long", acme.pk, 99, stream=True))
    journal.close()
    assert len(list(tmp_path.glob("*.jsonl"))) > 3
    Bookkeeper(tmp_path).run_once()
    rows = booked()
    assert rows.pop("long") == ("answered", 99)
    assert len(rows) == 20


def test_a_hidden_journal_is_not_there_yet(tmp_path: Path, acme: Account) -> None:
    path = left(tmp_path, b"", ".1-1.jsonl")
    Bookkeeper(tmp_path).run_once()
    assert path.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"cost_nano": 10**30},
        {"usage": Usage(10**30, 1)},
        {"usage": Usage(2**63, 1)},
        {"at": 1e300},
        {"duration_ms": -5},
    ],
    ids=str,
)
def test_what_the_database_refuses_is_set_aside(
    tmp_path: Path, acme: Account, said: dict[str, object]
) -> None:
    refused = record("bad", acme.pk)
    for name, value in said.items():
        setattr(refused, name, value)
    path = left(tmp_path, lines(record("a", acme.pk), refused, record("b", acme.pk)))
    Bookkeeper(tmp_path).run_once()
    assert booked() == {"a": ("answered", 7), "b": ("answered", 7)}
    assert balance_fits(acme)
    assert not path.exists()
    (line,) = (tmp_path / "refused.lines").read_bytes().splitlines()
    assert json.loads(line)["request_id"] == "bad"


def test_an_account_that_is_gone_holds_up_nobody(tmp_path: Path, acme: Account) -> None:
    left(tmp_path, lines(record("a", acme.pk + 1000), record("b", acme.pk)))
    Bookkeeper(tmp_path).run_once()
    assert booked().keys() == {"b"}


def test_there_is_one_bookkeeper_per_folder(tmp_path: Path) -> None:
    descriptor = only(tmp_path)
    assert descriptor is not None
    assert only(tmp_path) is None
    os.close(descriptor)
    again = only(tmp_path)
    assert again is not None
    os.close(again)


def told(order: list[tuple[int, bool]], account_id: int) -> list[Record]:
    """Return the lines of some requests, two each; the order says whose next, and if it streams."""
    begun: set[int] = set()
    found = []
    for number, stream in order:
        name = f"r{number}"
        if stream and number not in begun:
            found.append(opened(name, account_id, 1 + number))
        else:
            found.append(record(name, account_id, 100 + number, stream=stream))
        begun.add(number)
    return found


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.lists(st.tuples(st.integers(0, COUNT), st.booleans()), min_size=1, max_size=12),
    cut=st.floats(0, 1),
    stops=st.lists(st.floats(0, 1), max_size=3),
    restarts=st.booleans(),
)
def test_a_crash_at_any_byte_tells_what_was_written(
    acme: Account, order: list[tuple[int, bool]], cut: float, stops: list[float], restarts: bool
) -> None:
    """The process dies at `cut`; the bookkeeper had read up to each of `stops`, or died there."""
    ends: set[str] = set()
    unique = []
    for line in told(order, acme.pk):
        if line.request_id not in ends:
            unique.append(line)
        if not line.opened:
            ends.add(line.request_id)
    whole = lines(*unique)
    data = whole[: int(len(whole) * cut)]
    written = unique[: data.count(b"\n")]
    with TemporaryDirectory() as name, transaction.atomic():
        folder, keeper = Path(name), Bookkeeper(Path(name))
        path = left(folder, b"")
        for stop in sorted(stops):
            path.write_bytes(data[: int(len(data) * stop)])
            with held(path):
                keeper.run_once()
            keeper = Bookkeeper(folder) if restarts else keeper
        path.write_bytes(data)
        keeper.run_once()
        expected = {line.request_id: (line.outcome, line.cost_nano) for line in written}
        assert booked() == expected
        assert balance_fits(acme)
        transaction.set_rollback(True)

"""Moves journals into the database: usage rows, balances and leases, exactly once."""

import fcntl
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from django.db import DataError, IntegrityError, transaction

from billing.access.lastuse import touch
from billing.among import Among
from billing.books.entries import enter
from billing.books.records import REFUSED, Record, decode, encode
from billing.books.testimony import count_blocks, testify
from billing.leases import recovery
from billing.leases.owners import is_complete
from billing.models import Account, JournalFile, UsageRow
from providers.configuration import one_revision

MOST_BYTES = 1024 * 1024
REFUSALS = (DataError, IntegrityError, OverflowError, ValueError)  # of a record, not of all
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reading:
    """Where one journal was read to. `waiting`: streams that opened and have not ended yet."""

    path: Path
    offset: int
    waiting: dict[str, Record] = field(default_factory=dict)


class Bookkeeper:
    """Reads every journal in a folder. There is one per folder: `only` holds its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readings: dict[str, Reading] = {}

    def run_once(self, look: bool = True) -> int:
        """Book what is new in every journal, and `look` for leases of processes that are gone;
        return how many requests were booked.

        Completeness is asked first: a process that left a file has begun its next one by then.
        """
        gone = recovery.gone(self._folder) if look else set()
        complete = {path.name for path in self._paths() if is_complete(path)}
        booked = sum(self._follow(path, path.name in complete) for path in self._paths())
        booked += sum(self._finish(name) for name in sorted(complete))
        recovery.release_booked(self._folder, gone)
        return booked

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.jsonl"))

    def _follow(self, path: Path, complete: bool) -> int:
        reading = self._readings.get(path.name)
        if reading is None:
            reading = self._readings[path.name] = start(path)
        booked, there = 0, path.stat().st_size
        while reading.offset < there and (lines := read_lines(reading, complete)):
            booked += book(reading, lines)
        return booked

    def _finish(self, name: str) -> int:
        """Book what was interrupted, and forget the file. Streams may go on in a later one."""
        reading = self._readings.pop(name)
        elsewhere = {key for other in self._readings.values() for key in other.waiting}
        left = [record for key, record in reading.waiting.items() if key not in elsewhere]
        booked = book(reading, [], left) if left else 0
        reading.path.unlink()
        JournalFile.objects.filter(name=name).delete()
        return booked


def start(path: Path) -> Reading:
    """Return where to go on reading. Streams open at that point are found again from the start."""
    offset = JournalFile.objects.filter(name=path.name).values_list("offset", flat=True).first()
    reading = Reading(path, offset or 0)
    with path.open("rb") as file:
        for record in records(file.read(reading.offset).splitlines()):
            follow(reading, record)
    return reading


def read_lines(reading: Reading, complete: bool) -> list[bytes]:
    """Return the next whole lines; a torn last line of a process that is gone is no line."""
    with reading.path.open("rb") as file:
        file.seek(reading.offset)
        data = file.read(MOST_BYTES)
    end = data.rfind(b"\n") + 1
    if complete and not end and data:
        log.warning("journal %s ends in a torn line, which was never answered", reading.path.name)
    return data[:end].splitlines(keepends=True)


def records(lines: list[bytes]) -> Iterator[Record]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield decode(line)
        except msgspec.DecodeError as problem:
            log.error("a line of a journal cannot be read: %s: %r", problem, line[:300])


def follow(reading: Reading, record: Record) -> Record | None:
    """Keep a stream's first line until its last comes; return what can be booked now."""
    if record.opened:
        reading.waiting[record.request_id] = record
        return None
    reading.waiting.pop(record.request_id, None)
    return record


def book(reading: Reading, lines: list[bytes], left: list[Record] | None = None) -> int:
    """Write rows, balances and the offset in one transaction: all of it or nothing.

    What the requests prove of offers is written after it, and is lost if the process dies between.
    """
    ended = (follow(reading, record) for record in records(lines))
    found = [record for record in ended if record is not None] + (left or [])
    offset = reading.offset + sum(map(len, lines))
    with transaction.atomic():
        fresh = not_booked([record for record in found if record.outcome != REFUSED])
        try:
            with transaction.atomic():
                enter(fresh)
        except REFUSALS:
            fresh = [record for record in fresh if add_alone(reading.path, record)]
        JournalFile.objects.bulk_create(
            [JournalFile(name=reading.path.name, offset=offset)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["offset"],
        )
    reading.offset = offset
    with one_revision():
        count_blocks(found)
        testify(fresh)
    touch(fresh)
    return len(fresh)


def add_alone(path: Path, record: Record) -> bool:
    """Book one record; one that the database refuses is set aside, so that the rest goes on."""
    try:
        with transaction.atomic():
            enter([record])
    except REFUSALS as problem:
        log.critical("request %s was set aside: %s", record.request_id, problem)
        with path.with_name("refused.lines").open("ab") as file:
            file.write(encode(record) + b"\n")
        return False
    return True


def not_booked(found: list[Record]) -> list[Record]:
    """Leave out what is booked already, and whose account is gone."""
    unique = {record.request_id: record for record in found}
    rows = UsageRow.objects.filter(Among("request_id", unique)).order_by()
    booked = rows.values_list("request_id", flat=True)
    accounts = Account.objects.filter(Among("pk", {record.account_id for record in found}))
    known = set(accounts.order_by().values_list("pk", flat=True))
    fresh = set(unique).difference(booked)
    return [record for key, record in unique.items() if key in fresh and record.account_id in known]


def only(folder: Path) -> int | None:
    """Take the folder's lock for this process; None if another has it."""
    descriptor = os.open(folder / ".bookkeeper", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor

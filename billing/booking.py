"""Moves journals into the database: usage rows and balances, exactly once."""

import fcntl
import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from django.db import DataError, IntegrityError, transaction

from billing.lastuse import touch
from billing.ledger.models import new_id
from billing.ledger.posting import REVENUE, Because, customer, post
from billing.limits import spends
from billing.models import Account, JournalFile, UsageRow
from billing.records import REFUSED, Record, decode, encode
from billing.testimony import count_blocks, testify
from billing.usage import columns_of
from providers.configuration import announce, one_revision

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

    def run_once(self) -> int:
        """Book what is new in every journal; return how many requests that were.

        Completeness is asked first: a process that left a file has begun its next one by then.
        """
        complete = {path.name for path in self._paths() if is_complete(path)}
        booked = sum(self._follow(path, path.name in complete) for path in self._paths())
        return booked + sum(self._finish(name) for name in sorted(complete))

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.jsonl"))

    def _follow(self, path: Path, complete: bool) -> int:
        reading = self._readings.get(path.name)
        if reading is None:
            reading = self._readings[path.name] = start(path)
        booked = 0
        while lines := read_lines(reading, complete):
            booked += book(reading, lines)
        return booked

    def _finish(self, name: str) -> int:
        """Book what was interrupted, and forget the file. Streams may go on in a later one."""
        reading = self._readings.pop(name)
        elsewhere = {key for other in self._readings.values() for key in other.waiting}
        left = [record for key, record in reading.waiting.items() if key not in elsewhere]
        booked = book(reading, [], left)
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


def is_complete(path: Path) -> bool:
    """Whether the process that appended to it is gone, or has gone on to another file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


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
    """Write rows, balances and the offset in one transaction: all of it or nothing."""
    ended = (follow(reading, record) for record in records(lines))
    found = [record for record in ended if record is not None] + (left or [])
    offset = reading.offset + sum(map(len, lines))
    with one_revision():
        count_blocks(found)
        fresh = not_booked([record for record in found if record.outcome != REFUSED])
        try:
            with transaction.atomic():
                add(fresh)
        except REFUSALS:
            fresh = [record for record in fresh if add_alone(reading.path, record)]
        testify(fresh)
        JournalFile.objects.update_or_create(name=reading.path.name, defaults={"offset": offset})
    reading.offset = offset
    touch(fresh)
    return len(fresh)


def add(fresh: list[Record]) -> None:
    charged_by = charge(fresh)
    UsageRow.objects.bulk_create([row_of(record, charged_by) for record in fresh])
    spends.count(fresh)


def add_alone(path: Path, record: Record) -> bool:
    """Book one record; one that the database refuses is set aside, so that the rest goes on."""
    try:
        with transaction.atomic():
            add([record])
    except REFUSALS as problem:
        log.critical("request %s was set aside: %s", record.request_id, problem)
        with path.with_name("refused.lines").open("ab") as file:
            file.write(encode(record) + b"\n")
        return False
    return True


def not_booked(found: list[Record]) -> list[Record]:
    """Leave out what is booked already, and whose account is gone."""
    unique = {record.request_id: record for record in found}
    booked = UsageRow.objects.filter(request_id__in=unique).values_list("request_id", flat=True)
    accounts = {record.account_id for record in found}
    known = set(Account.objects.filter(pk__in=accounts).values_list("pk", flat=True))
    fresh = set(unique).difference(booked)
    return [record for key, record in unique.items() if key in fresh and record.account_id in known]


def charge(fresh: list[Record]) -> UUID | None:
    """Take the cost from each account; one that crosses zero is news to every process.

    Return the transaction that did; None where nothing cost anything.
    """
    owed: Counter[int] = Counter()
    for record in fresh:
        owed[record.account_id] += record.cost_nano or 0
    amounts = {customer(account_id): -cost for account_id, cost in owed.items() if cost}
    if not amounts:
        return None
    because = Because("usage", f"usage:{new_id()}")
    booked = post(because, {**amounts, REVENUE: -sum(amounts.values())})
    balances = Account.objects.filter(pk__in=owed).values_list("pk", "balance_nano")
    spent = {pk for pk, balance in balances if balance <= 0 < balance + owed[pk]}
    if spent:
        parts = {f"account:{account_id}" for account_id in spent}
        announce(parts, f"no credits left: {', '.join(sorted(parts))}")
    return booked


def row_of(record: Record, charged_by: UUID | None) -> UsageRow:
    usage = record.usage
    return UsageRow(
        request_id=record.request_id,
        created_at=datetime.fromtimestamp(record.at, UTC),
        account_id=record.account_id,
        transaction_id=charged_by if record.cost_nano else None,
        key_id=record.key_id,
        endpoint=record.endpoint,
        asked_model=record.asked_model,
        model_id=record.model_id,
        provider=record.provider,
        upstream_id=record.upstream_id,
        stream=record.stream,
        status=record.status,
        outcome=record.outcome,
        error_code=record.error_code,
        attempts=msgspec.to_builtins(record.attempts),
        cost_nano=record.cost_nano,
        provider_cost_nano=record.provider_cost_nano,
        markup=record.markup,
        price_source=record.price_source,
        price_id=record.price_id or None,
        unit_prices=record.unit_prices,
        **columns_of(usage),
        duration_ms=record.duration_ms,
        first_byte_ms=record.first_byte_ms,
    )


def only(folder: Path) -> int | None:
    """Take the folder's lock for this process; None if another has it."""
    descriptor = os.open(folder / ".bookkeeper", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor

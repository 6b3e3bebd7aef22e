"""What happened at providers is asked for seldom, and kept while nobody answers."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError

from catalog.records import Record, Records, read
from catalog.syncs.counting import Gateway
from catalog.syncs.models import SyncRun
from providers.models import Provider

ROW = Gateway("groq", 3, 2, 1, "applied")


class Source:
    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    def __call__(self) -> dict[str, Record]:
        self.asked += 1
        if self.away:
            raise DatabaseError("gone")
        return {"groq": Record(ROW)}


def test_records_are_asked_for_once_in_a_while() -> None:
    records = Records(source := Source())
    assert not records.are_fresh(7)
    assert records.of("groq") is None
    records.refresh(7)
    records.refresh(7)
    assert (source.asked, records.are_fresh(7)) == (1, True)
    assert records.of("groq") == Record(ROW)


def test_records_are_asked_for_anew_when_something_was_saved() -> None:
    records = Records(source := Source())
    records.refresh(7)
    assert not records.are_fresh(8)
    records.refresh(8)
    records.refresh(7)
    assert (source.asked, records.are_fresh(8)) == (2, True)


def test_what_is_known_is_kept_while_the_database_is_away() -> None:
    records = Records(source := Source(), fresh_s=0.0)
    records.refresh(7)
    source.away = True
    records.refresh(7)
    assert source.asked == 2
    assert records.of("groq") == Record(ROW)


@pytest.mark.django_db
def test_the_last_good_sync_is_told() -> None:
    groq = Provider.objects.get(slug="groq")
    good, bad = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    SyncRun.objects.create(
        provider=groq, state="applied", finished_at=good, pages=1, rows=5, duplicates=2
    )
    SyncRun.objects.create(provider=groq, state="failed", finished_at=bad)
    record = read()["groq"]
    assert record.last_sync == good
    assert (record.counts.duplicates, record.counts.status) == (2, "failed")
    assert read()["novita"].last_sync is None

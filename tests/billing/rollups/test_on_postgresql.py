"""Sums on PostgreSQL, where rows become visible in another order than that of their keys."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.again import passes_on_postgresql
from tests.servers import new_database
from tests.world.gateway import Gateway

MADE = """
from django.utils import timezone
from tests.billing.ledgers import account
from tests.billing.rollups.use import book
book(account(), timezone.now())
"""
ADDED = """
INSERT INTO billing_usagerow SELECT (jsonb_populate_record(one, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('billing_usagerow', 'id')), 'request_id', %s::text))).*
FROM billing_usagerow AS one ORDER BY id LIMIT 1
"""
ROLL = "from billing.rollups.horizon import horizon; from billing.rollups.summing import *; "


@pytest.mark.timeout(320)
def test_sums_and_retention_are_the_same_on_postgresql(postgres_url: str) -> None:
    assert passes_on_postgresql("tests/billing/rollups/test_rollups.py", postgres_url)


@pytest.fixture
def gateway_on_postgresql(tmp_path: Path, postgres_url: str) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, database_url=new_database(postgres_url))
    gateway.manage("migrate", "--verbosity", "0")
    yield gateway
    gateway.steward.stop()


def said(gateway: Gateway, code: str) -> str:
    return gateway.manage("shell", "--verbosity", "0", "-c", ROLL + f"print({code})").strip()


def summed(gateway: Gateway) -> int:
    [row] = gateway.rows("SELECT coalesce(sum(requests), 0) AS n FROM rollups_hourlyusage")
    return int(row["n"])


def test_a_row_that_becomes_visible_late_is_not_passed_over(
    gateway_on_postgresql: Gateway,
) -> None:
    gateway = gateway_on_postgresql
    gateway.manage("shell", "--verbosity", "0", "-c", MADE)
    assert said(gateway, "roll_up()") == "1"
    with (
        psycopg.connect(gateway.database_url) as slow,
        psycopg.connect(gateway.database_url, autocommit=True) as quick,
    ):
        slow.execute(ADDED, ["late"])
        quick.execute(ADDED, ["early"])
        assert said(gateway, "horizon(0.2)") == "None"
        assert summed(gateway) == 1
        slow.commit()
        assert said(gateway, "roll_up()") == "2"
        slow.execute(ADDED, ["given up"])
        slow.rollback()
        quick.execute(ADDED, ["after"])
        assert said(gateway, "roll_up()") == "1"
    assert summed(gateway) == 4
    assert said(gateway, "roll_up()") == "0"

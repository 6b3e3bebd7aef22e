"""Sums on PostgreSQL, where rows become visible in another order than that of their keys."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers import new_database
from tests.world.gateway import Gateway

ROOT = Path(__file__).parents[3]
MADE = """
INSERT INTO billing_account (name, plan_id, enabled, balance_nano, held_nano, credit_limit,
  created_at) SELECT 'Acme', id, true, 0, 0, 0, now() FROM billing_plan LIMIT 1
"""
ADDED = """
INSERT INTO billing_usagerow (request_id, created_at, account_id, key_id, endpoint, asked_model,
  model_id, provider, upstream_id, stream, status, outcome, error_code, attempts, prompt_tokens,
  completion_tokens, cached_tokens, reasoning_tokens, usage_source, cost_nano, duration_ms)
SELECT %s, now(), id, 'k', 'chat', 'm', 'm', 'p', 'm', false, 200, 'answered', '', '[]', 1, 1, 0, 0,
  'upstream', 0, 1 FROM billing_account LIMIT 1
"""
ROLL = "from billing.rollups.horizon import horizon; from billing.rollups.summing import *; "


def test_sums_and_retention_are_the_same_on_postgresql(postgres_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/billing/rollups/test_rollups.py"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": new_database(postgres_url)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


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
    with (
        psycopg.connect(gateway.database_url) as slow,
        psycopg.connect(gateway.database_url, autocommit=True) as quick,
    ):
        quick.execute(MADE)
        slow.execute(ADDED, ["late"])
        quick.execute(ADDED, ["early"])
        assert said(gateway, "horizon(0.2)") == "None"
        assert summed(gateway) == 0
        slow.commit()
        assert said(gateway, "roll_up()") == "2"
        slow.execute(ADDED, ["given up"])
        slow.rollback()
        quick.execute(ADDED, ["after"])
        assert said(gateway, "roll_up()") == "1"
    assert summed(gateway) == 3
    assert said(gateway, "roll_up()") == "0"

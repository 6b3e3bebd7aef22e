"""A database from before the ledger keeps its money."""

import sqlite3
from pathlib import Path

from tests.world.gateway import Gateway

BEFORE = """
INSERT INTO billing_account (id, name, plan_id, enabled, balance_nano, created_at)
  VALUES (1, 'Acme', 1, 1, 93, '2026-11-01'), (2, 'Fresh', 1, 1, 0, '2026-11-01');
INSERT INTO billing_posting (account_id, amount_nano, reason, author, created_at)
  VALUES (1, 120, 'invoice 1', 'ada', '2026-11-02'), (1, -20, 'mistake', 'ada', '2026-11-03');
INSERT INTO billing_usagerow (request_id, created_at, account_id, key_id, endpoint, asked_model,
    model_id, provider, upstream_id, stream, status, outcome, error_code, attempts, prompt_tokens,
    completion_tokens, cached_tokens, reasoning_tokens, usage_source, cost_nano, duration_ms)
  VALUES ('gen-1', '2026-11-04', 1, 'k', 'chat', 'm', 'm', 'p', 'm', 0, 200, 'answered', '', '[]',
    1, 1, 0, 0, 'upstream', 7, 1);
"""


def test_what_was_posted_and_charged_before_is_booked(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.run("migrate", "billing", "0002", "--verbosity", "0")
    connection = sqlite3.connect(tmp_path / "gatewayz.sqlite3")
    connection.executescript(BEFORE)
    connection.close()
    gateway.run("migrate", "--verbosity", "0")
    assert "The ledger is right" in gateway.run("check_ledger").stdout
    booked = gateway.rows("SELECT kind, reason, author FROM ledger_transaction ORDER BY created_at")
    assert [row["kind"] for row in booked] == ["adjustment", "adjustment", "usage"]
    assert {row["author"] for row in booked} == {"ada", ""}
    accounts = gateway.rows("SELECT balance_nano, held_nano FROM billing_account ORDER BY id")
    assert accounts == [{"balance_nano": 93, "held_nano": 0}, {"balance_nano": 0, "held_nano": 0}]

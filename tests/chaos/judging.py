"""Whether every delivered answer was charged once, nothing else was, and nothing is left held."""

import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from tests.chaos.clients import Seen
from tests.world.gateway import Gateway

MOMENT_S = 1.0  # on a busy machine; by itself it is less than a millisecond


def problems(gateway: Gateway, seen: Seen, kills: Sequence[float]) -> Iterator[str]:
    """Yield what is wrong, the gateway being stopped and everything booked. kills: Unix times."""
    rows = gateway.rows(
        "SELECT request_id, outcome, cost_nano, created_at, duration_ms FROM billing_usagerow"
    )
    charged = {row["request_id"]: row["cost_nano"] for row in rows if row["cost_nano"]}
    if len({row["request_id"] for row in rows}) < len(rows):
        yield "a request has two rows"
    if missing := seen.delivered - charged.keys():
        yield f"{len(missing)} delivered answers were not charged: {sorted(missing)[:3]}"
    if wrong := seen.refused & charged.keys():
        yield f"{len(wrong)} requests that were refused were charged: {sorted(wrong)[:3]}"
    undelivered = charged.keys() - seen.delivered
    unseen = [
        row for row in rows if row["request_id"] in undelivered and not killed_then(row, kills)
    ]
    if len(unseen) > seen.left:  # who gave up in the moment in which the answer came
        yield f"charged, but nobody saw it, and {seen.left} clients left: {unseen}"
    checked: subprocess.CompletedProcess[str] = gateway.run("check_ledger", check=False)
    if checked.returncode:
        yield f"check_ledger: {checked.stdout}{checked.stderr}"
    for row in gateway.rows("SELECT name, balance_nano, held_nano FROM billing_account"):
        if row["held_nano"]:
            yield f"{row['held_nano']} nano of {row['name']} are held"
        if row["balance_nano"] < 0:
            yield f"{row['name']} is at {row['balance_nano']} nano"
    if gateway.rows("SELECT 1 FROM leases_lease WHERE amount_nano > 0"):
        yield "leases are left"
    if list((gateway.folder / "journal").glob("*.jsonl")):
        yield "journals are left"


def killed_then(row: dict[str, Any], kills: Sequence[float]) -> bool:
    """Whether a process was killed between a request's line and its first byte."""
    recorded_at = row["created_at"].timestamp() + row["duration_ms"] / 1000
    return any(recorded_at - 0.1 < killed_at < recorded_at + MOMENT_S for killed_at in kills)

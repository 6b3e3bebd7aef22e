"""Whether every delivered answer was charged once, nothing else was, and nothing is left held."""

import subprocess
from collections import Counter
from collections.abc import Iterator

from tests.chaos.clients import Seen
from tests.world.gateway import Gateway


def problems(gateway: Gateway, seen: Seen) -> Iterator[str]:
    """Yield what is wrong, the gateway being stopped and everything booked."""
    rows = gateway.rows("SELECT request_id, outcome, cost_nano FROM billing_usagerow")
    charged = {row["request_id"]: row["cost_nano"] for row in rows if row["cost_nano"]}
    if len({row["request_id"] for row in rows}) < len(rows):
        yield "a request has two rows"
    if missing := seen.delivered - charged.keys():
        yield f"{len(missing)} delivered answers were not charged: {sorted(missing)[:3]}"
    if wrong := seen.refused & charged.keys():
        yield f"{len(wrong)} requests that were refused were charged: {sorted(wrong)[:3]}"
    # Recorded, and the process killed before the first byte left it: nobody can tell from outside.
    unseen = Counter(
        row["outcome"] == "cancelled"
        for row in rows
        if row["cost_nano"] and row["request_id"] not in seen.delivered
    )
    if unseen[False] > seen.broken:
        yield f"{unseen[False]} were charged unseen, but {seen.broken} connections broke"
    if unseen[True] > seen.left + seen.broken:
        yield f"{unseen[True]} were charged as left, but {seen.left} clients left"
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

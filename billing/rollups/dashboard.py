"""What the usage page shows above its list: the last thirty days, from sums and their tail."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from billing.ledger.models import Posting
from billing.models import Account
from billing.money import usd, written
from billing.rollups.reading import Reading, Row, Span, consistent, whole_hour

DAYS = 30
MOST_ROWS = 8
GIVEN = {"payments": "paid in", "promotions": "by codes", "adjustments": "by admins"}


def dashboard(now: datetime) -> dict[str, Any]:
    """Return the tables and the chart of the days up to `now`."""
    since = whole_hour(now).replace(hour=0) - timedelta(days=DAYS - 1)
    span = Span(since, since + timedelta(days=DAYS))
    found = consistent(lambda: groups(span))
    names = Account.objects.in_bulk([row["account"] for row in top(found["account"])])
    return {
        "days": DAYS,
        "chart": chart(found["day"], since),
        "money": money_table(found["day"], since),
        "tables": [
            table("Top accounts", found["account"], lambda row: str(names[row["account"]])),
            table("Top models", found["model"], lambda row: row["model"] or "-"),
            table("Providers", found["provider"], lambda row: row["provider"] or "-"),
        ],
    }


def groups(span: Span) -> dict[str, list[Row]]:
    reading = Reading(span)
    return {name: reading.by(name) for name in ("day", "account", "model", "provider")}


def top(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row["cost_nano"], -row["requests"]))[:MOST_ROWS]


def table(title: str, rows: list[Row], name: Any) -> dict[str, Any]:
    headers = [title, "requests", "failed", "tokens in", "tokens out", "charged", "our cost"]
    return {"headers": headers, "rows": [[name(row), *columns(row)] for row in top(rows)]}


def columns(row: Row) -> list[str]:
    counts = ("requests", "failures", "prompt_tokens", "completion_tokens")
    amounts = ("cost_nano", "provider_cost_nano")
    return [f"{row[name]:,}" for name in counts] + [written(row[name]) for name in amounts]


def chart(rows: list[Row], since: datetime) -> str:
    """Return the data of a bar per day, in dollars charged."""
    by_day = {row["day"]: float(usd(row["cost_nano"])) for row in rows}
    days = [since.date() + timedelta(days=n) for n in range(DAYS)]
    bars = {"label": "USD charged", "data": [by_day.get(day, 0) for day in days]}
    return json.dumps({"labels": [f"{day:%d %b}" for day in days], "datasets": [bars]})


def money_table(rows: list[Row], since: datetime) -> dict[str, Any]:
    """Return money in, by where it came from, and what was charged and spent."""
    given = Posting.objects.filter(
        ledger_account__kind__in=GIVEN, transaction__created_at__gte=since
    ).order_by()
    totals = given.values("ledger_account__kind").annotate(total=Sum("amount_nano"))
    by_kind = {row["ledger_account__kind"]: -row["total"] for row in totals}
    charged = sum(row["cost_nano"] for row in rows)
    spent = sum(row["provider_cost_nano"] for row in rows)
    return {
        "headers": [*(f"Money in: {words}" for words in GIVEN.values()), "charged", "our cost"],
        "rows": [[written(n) for n in (*(by_kind.get(kind, 0) for kind in GIVEN), charged, spent)]],
    }

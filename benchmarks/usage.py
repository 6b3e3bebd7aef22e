"""What pages cost on ten million usage rows: milliseconds, and whether any reads the whole table.

    python -m benchmarks.usage [--rows 10000000]

PostgreSQL comes from pip, is filled by itself, and is gone afterwards. Exits with 1 if a page costs
300 ms of processor time or reads all usage rows.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.servers import new_database, postgres

BAR_MS = 300
TRIES = 5
DAYS = 90
BATCH = 500  # requests that one transaction charges
ACCOUNTS, MODELS, PROVIDERS = 200, 300, 14
SPENT = """INSERT INTO ledger_posting (transaction_id, ledger_account_id, amount_nano)
SELECT transaction_id, side.id, CASE side.kind WHEN 'revenue' THEN cost ELSE -cost END
FROM (SELECT transaction_id, account_id, sum(cost_nano) AS cost FROM billing_usagerow
      GROUP BY 1, 2) AS charged
JOIN ledger_ledgeraccount side ON side.kind = 'revenue' OR side.account_id = charged.account_id"""
VALUES = {
    "request_id": "'gen-' || lpad(n::text, 32, '0')",
    "created_at": f"now() - (%(rows)s - n) * interval '{DAYS} days' / %(rows)s",
    "account_id": "%(first)s + batch %% %(accounts)s",
    "transaction_id": "lpad(batch::text, 32, '0')::uuid",
    "key_id": "'key-' || batch %% %(accounts)s || '-' || n %% 2",
    "endpoint": "'chat'",
    "asked_model": "'org/model-' || (batch + n %% 3) %% %(models)s",
    "model_id": "'org/model-' || (batch + n %% 3) %% %(models)s",
    "provider": "'provider-' || (batch + n %% 3) %% %(providers)s",
    "status": "CASE WHEN n %% 100 = 0 THEN 502 ELSE 200 END",
    "outcome": "CASE WHEN n %% 100 = 0 THEN 'failed' WHEN n %% 1000 = 1 THEN 'interrupted' "
    "ELSE 'answered' END",
    "prompt_tokens": "n %% 5000",
    "completion_tokens": "n %% 700",
    "cost_nano": "n %% 1000 * 1000",
    "provider_cost_nano": "n %% 1000 * 900",
    "duration_ms": "n %% 9000",
    "first_byte_ms": "n %% 900",
    "usage_source": "'upstream'",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with postgres() as url, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATABASE_URL": new_database(url), "GATEWAYZ_DATA_DIR": folder}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "gatewayz.settings", "LOG_LEVEL": "CRITICAL"}
        import django

        django.setup()
        timed("migrated", migrate)
        timed(f"{rows:,} usage rows written", fill, rows)
        timed("summed by the hour and day", sum_up)
        timed("analysed", execute, "VACUUM ANALYZE")
        return measure()


def timed(said: str, work: Callable[..., Any], *args: Any) -> None:
    start = time.monotonic()
    done = work(*args)
    print(f"{said}: {time.monotonic() - start:.1f} s{f', {done}' if done else ''}", flush=True)


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def execute(sql: str, values: dict[str, int] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def fill(rows: int) -> None:
    """Write usage as the bookkeeper would have, and the ledger to it, without checking each row."""
    from billing.ledger.models import LedgerAccount
    from billing.models import Account, Plan, UsageRow

    plan = Plan.objects.get_or_create(name="default")[0]
    made = Account.objects.bulk_create(
        Account(name=f"account {n}", plan=plan) for n in range(ACCOUNTS)
    )
    sides = [LedgerAccount(kind="customer", account=account) for account in made]
    LedgerAccount.objects.bulk_create([LedgerAccount(kind="revenue"), *sides])
    values = {"rows": rows, "first": made[0].pk, "accounts": ACCOUNTS}
    values |= {"models": MODELS, "providers": PROVIDERS}
    columns = {field.column: default(field) for field in UsageRow._meta.fields} | VALUES
    columns.pop("id")
    execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    with without_indexes(UsageRow._meta.db_table):
        execute(
            f"INSERT INTO billing_usagerow ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} "
            f"FROM (SELECT n, n / {BATCH} AS batch FROM generate_series(1, %(rows)s) n) AS made",
            values,
        )
    execute(
        "INSERT INTO ledger_transaction (id, kind, reference, reason, author, created_at) "
        "SELECT transaction_id, 'usage', 'usage:' || transaction_id, '', '', max(created_at) "
        "FROM billing_usagerow GROUP BY transaction_id"
    )
    execute(SPENT)
    execute(
        "UPDATE billing_account SET balance_nano = coalesce((SELECT sum(amount_nano) FROM "
        "ledger_posting JOIN ledger_ledgeraccount side ON side.id = ledger_account_id "
        "WHERE side.account_id = billing_account.id), 0)"
    )
    execute("SET session_replication_role = DEFAULT")


def default(field: Any) -> str:
    """Return a column's default as SQL: Django keeps defaults to itself."""
    if field.null:
        return "NULL"
    value = field.get_default()
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'[]'" if value == [] else "'{}'" if value == {} else "''"


class without_indexes:
    """Drop a table's plain indexes, and build them again at the end: that is quicker."""

    def __init__(self, table: str) -> None:
        self.table = table

    def __enter__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname "
                "NOT IN (SELECT conname FROM pg_constraint)",
                [self.table],
            )
            self.found = cursor.fetchall()
        for name, _ in self.found:
            execute(f'DROP INDEX "{name}"')

    def __exit__(self, *exc: object) -> None:
        for _, definition in self.found:
            execute(definition)


def sum_up() -> str:
    from billing.rollups.models import DailyUsage, HourlyUsage
    from billing.rollups.summing import roll_up

    roll_up()
    return f"{HourlyUsage.objects.count():,} hourly and {DailyUsage.objects.count():,} daily rows"


def measure() -> int:
    """Open every page some times; print what that costs, and return 1 if one is bad.

    The bar is for processor time, ours and PostgreSQL's together: that is what a page takes on a
    machine of its own. Others may share this one, so the time by the clock is printed beside it.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    execute("SET max_parallel_workers_per_gather = 0")  # all of it in the one backend
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    bad = 0
    print(
        "| page | ms of CPU | ms by the clock | queries | reads all rows |\n|---|---|---|---|---|"
    )
    for name, opened in pages():
        opened()
        cost_ms, clock_ms = cost(opened, backend)
        with CaptureQueriesContext(connection) as seen:
            opened()
        scans = [query["sql"] for query in seen.captured_queries if scanned(query["sql"])]
        bad += cost_ms > BAR_MS or bool(scans)
        found = "YES" if scans else "no"
        print(f"| {name} | {cost_ms:.0f} | {clock_ms:.0f} | {len(seen)} | {found} |", flush=True)
        for sql in scans:
            print(f"    {sql[:600]}", file=sys.stderr)
    return int(bad > 0)


def cost(opened: Callable[[], Any], backend: int) -> tuple[float, float]:
    """Return a page's milliseconds: of processor time on average, by the clock at best."""
    before, clocks = used_ns(os.getpid()) + used_ns(backend), []
    for _ in range(TRIES):
        start = time.monotonic()
        opened()
        clocks.append(time.monotonic() - start)
    after = used_ns(os.getpid()) + used_ns(backend)
    return (after - before) / TRIES / 1e6, min(clocks) * 1e3


def used_ns(pid: int) -> int:
    """Return how long a process has run on processors; of its main thread, which is all of ours."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def scanned(sql: str) -> bool:
    """Whether PostgreSQL would read all usage rows, or all hourly ones, for a query."""
    from django.db import connection

    if not sql.startswith("SELECT"):
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return bool(re.search(r"Seq Scan on (billing_usagerow|rollups_hourlyusage)", plan))


def pages() -> Iterator[tuple[str, Callable[[], Any]]]:
    from django.contrib.auth.models import User
    from django.test import Client

    from billing.models import Account, UsageRow

    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    row = UsageRow.objects.order_by("-pk")[12_345]
    account = Account.objects.get(pk=row.account_id)
    usage, hours = "/admin/billing/usagerow/", "/admin/rollups/hourlyusage/"
    midnight = f"{row.created_at:%Y-%m-%d}+00%3A00%3A00%2B00%3A00"
    addresses = {
        "usage rows": usage,
        "usage rows, page 100": f"{usage}?p=100",
        "usage rows that failed": f"{usage}?outcome=failed",
        "usage rows that were interrupted": f"{usage}?outcome=interrupted",
        "usage rows that were cancelled (none)": f"{usage}?outcome=cancelled",
        "usage rows of a provider": f"{usage}?provider=provider-3",
        "failed rows of a provider": f"{usage}?provider=provider-3&outcome=failed",
        "usage rows of a provider that has none": f"{usage}?provider=huggingface",
        "usage rows since a day": f"{usage}?created_at__gte={midnight}",
        "oldest usage rows first": f"{usage}?o=2",
        "a request by its id": f"{usage}?q={row.request_id}",
        "requests of a key": f"{usage}?q={row.key_id}",
        "requests of an account": f"{usage}?q={account.name.replace(' ', '+')}",
        "a search that finds nothing": f"{usage}?q=nothing",
        "one usage row": f"{usage}{row.pk}/change/",
        "usage page with its dashboard": hours,
        "usage page since a day": f"{hours}?hour__gte={midnight}",
        "one hour": f"{hours}1/change/",
        "accounts": "/admin/billing/account/",
        "an account": f"/admin/billing/account/{account.pk}/change/",
        "deleting an account": f"/admin/billing/account/{account.pk}/delete/",
        "keys": "/admin/billing/apikey/",
        "transactions of the ledger": "/admin/ledger/transaction/",
        "a transaction": f"/admin/ledger/transaction/{row.transaction_id}/change/",
        "statements": "/admin/statements/statement/",
        "payments": "/admin/payments/paymentsession/",
        "the admin's first page": "/admin/",
    }
    for name, address in addresses.items():
        yield name, lambda address=address: fine(client.get(address))
    yield from questions(row, account)


def fine(answer: Any) -> None:
    if answer.status_code not in (200, 302, 403):  # a refused deletion is a 403
        raise RuntimeError(f"{answer.request['PATH_INFO']}: {answer.status_code}")


def questions(row: Any, account: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What the API asks."""
    from datetime import timedelta

    from django.utils import timezone

    from billing.facts.reports import spent_by_key
    from billing.models import UsageRow
    from billing.rollups.reading import Span, usage_by

    now = timezone.now()
    month = (now - timedelta(days=30), now + timedelta(hours=1))
    all_days = (now - timedelta(days=DAYS), now + timedelta(hours=1))
    mine = Span(*month, accounts=[account.pk])
    key = Span(*month, accounts=[account.pk], keys=[row.key_id])
    ever = Span(*all_days, accounts=[account.pk])
    yield "usage of an account by day", lambda: usage_by(mine, "day")
    yield "usage of an account by day, model, key", lambda: usage_by(mine, "day", "model", "key")
    yield "usage of a key by model", lambda: usage_by(key, "model")
    yield "all usage of an account by day", lambda: usage_by(ever, "day")
    yield "what a key has spent", lambda: spent_by_key([row.key_id], now)
    yield "a receipt", lambda: UsageRow.objects.get(request_id=row.request_id)


if __name__ == "__main__":
    raise SystemExit(main())

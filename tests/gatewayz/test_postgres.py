"""The served gateway on PostgreSQL: requests, usage, live edits, few connections."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from gatewayz.databases import POOL
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.browser import Browser
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

WORKERS = 2
Lines = Mapping[int, httpx.Client]
CONNECTIONS = """
    SELECT pid, state FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""

pytestmark = pytest.mark.timeout(110)


def until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def ask(line: httpx.Client, model: str, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return line.post("/v1/chat/completions", json=body, headers=headers)


def test_the_whole_way_on_postgresql(gateways, postgres_url: str, upstream: Upstream) -> None:
    gateway = gateways(workers=WORKERS, database_url=new_database(postgres_url))
    gateway.provider(upstream, ["m-one", "m-two"], slug="acme")
    with line_per_worker(gateway) as lines:
        ids = [ask(line, "m-one").headers["x-request-id"] for line in lines.values()]
        booked = "SELECT count(*) AS n FROM billing_usagerow WHERE request_id IN (?, ?)"
        assert until(lambda: gateway.rows(booked, *ids)[0]["n"] == WORKERS, 10)

        gateway.apply({"version": 1, "aliases": {"latest": "m-one"}}, settle=False)
        assert until(lambda: served(lines, "latest") == {"m-one"}, 1.5)
        admin = Browser(gateway)
        (row,) = gateway.rows("SELECT id FROM catalog_modelalias WHERE alias = 'latest'")
        admin.save(f"/admin/catalog/modelalias/{row['id']}/change/", target="m-two")
        assert until(lambda: served(lines, "latest") == {"m-two"}, 1.5)

        crowd(gateway)
        gateway.steward.stop()
        open_now = gateway.rows(CONNECTIONS)
        processes = WORKERS + 2  # the bookkeeper and the background worker have theirs
        assert len(open_now) <= processes * POOL["max_size"]
        assert not [row for row in open_now if row["state"].startswith("idle in transaction")]

        lose_connections(gateway)
        fresh = gateway.issue_key("after", "1")
        assert all(ask(line, "m-one").status_code == 200 for line in lines.values())
        assert until(lambda: statuses(lines, "m-one", fresh) == {200}, 10)
        gateway.apply({"version": 1, "aliases": {"latest": "m-one"}}, settle=False)
        assert until(lambda: served(lines, "latest") == {"m-one"}, 5)
        assert admin.http.get("/admin/").status_code == 200
        admin.close()


def statuses(lines: Lines, model: str, key: str) -> set[int]:
    return {ask(line, model, key).status_code for line in lines.values()}


def served(lines: Lines, model: str) -> set[str | None]:
    return {ask(line, model).headers.get("x-gatewayz-model") for line in lines.values()}


def crowd(gateway: Gateway) -> None:
    """Many keys, known and unknown, and pages, at once: each looks into the database."""
    keys = [gateway.issue_key("crowd", "1") for _ in range(6)]
    keys += [key[:-1] + ("a" if key[-1] != "a" else "b") for key in keys]

    def one(number: int) -> int:
        with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as line:
            if number % 4 == 0:
                return line.get("/admin/login/", headers={"Accept": "text/html"}).status_code
            return ask(line, "m-one", keys[number % len(keys)]).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(64))) <= {200, 401}


def lose_connections(gateway: Gateway) -> None:
    """End every connection to the database, as its restart does."""
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

"""Reads the gateway's database from outside, as a test's own witness."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg
from psycopg.rows import dict_row

UNLIMITED = """UPDATE billing_plan SET requests_per_minute = NULL, tokens_per_minute = NULL,
    concurrency = NULL WHERE name = 'default'"""


def lift_limits(url: str) -> None:
    """Let keys of the default plan ask as much as they like: many tests share one."""
    if not url.startswith("sqlite:"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(UNLIMITED)
        return
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
    with closing(connection), connection:
        connection.execute(UNLIMITED)


def is_empty(url: str) -> bool:
    """Return whether nothing has been migrated in a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        [table] = connection.execute("SELECT to_regclass('django_migrations')").fetchone() or [None]
    return table is None


def sibling(url: str, name: str) -> tuple[str, bool]:
    """Return the URL of the database `name` on the same server, and whether it is new."""
    server = url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        try:
            connection.execute(f"CREATE DATABASE {name}")
        except psycopg.errors.DuplicateDatabase:
            return f"{server}/{name}", False
    return f"{server}/{name}", True


def copy(template: str, url: str) -> None:
    """Make this PostgreSQL database anew, as `template` on the same server is."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/template1", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('/')[2]}")


def rows(url: str, sql: str, params: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """Return the rows of a query with `?` for its parameters."""
    if url.startswith("sqlite:"):
        return sqlite_rows(url.removeprefix("sqlite:///"), sql, params)
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(sql.replace("?", "%s"), params).fetchall()


def sqlite_rows(path: str, sql: str, params: tuple[Any, ...]) -> list[dict[str, Any]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(sql, params)]
    finally:
        connection.close()

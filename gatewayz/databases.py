"""Connection options per database engine, for a process that serves many requests at once."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
# Per process. Three threads of one that serves keep a connection each; the others share the rest.
# reconnect_timeout: the pool waits longer after each failure, up to this; after an outage a
# longer wait would keep a database that is back unused.
POOL = {"min_size": 1, "max_size": 8, "max_idle": 60, "timeout": 5, "reconnect_timeout": 4}
OPTIONS: dict[str, dict[str, Any]] = {
    "django.db.backends.sqlite3": SQLITE,
    "django.db.backends.postgresql": {"pool": POOL, "connect_timeout": 5},
}
SCHEMES = ("sqlite:", "postgres:", "postgresql:")
WANTED = "DATABASE_URL is no address of a database: sqlite:////path/file or postgres://user@host/db"


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for `url`. Connections are never persistent: under ASGI they leak.

    The URL is not repeated in an error: it may hold a password.
    """
    try:
        if not url.startswith(SCHEMES):
            raise ValueError("another scheme")
        parsed: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured) as problem:
        raise ImproperlyConfigured(WANTED) from problem
    if not parsed["NAME"]:
        raise ImproperlyConfigured(WANTED)
    return {
        **parsed,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**OPTIONS[parsed["ENGINE"]], **parsed.get("OPTIONS", {})},
    }

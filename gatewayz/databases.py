"""Connection options per database engine, for a process that serves many requests at once."""

SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POSTGRESQL = {"pool": {"min_size": 1, "max_size": 4, "timeout": 10}}


def database(parsed: dict) -> dict:
    """Complete what DATABASE_URL says. Connections are never persistent: under ASGI they leak."""
    options = SQLITE if "sqlite" in parsed["ENGINE"] else POSTGRESQL
    return {
        **parsed,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**options, **parsed.get("OPTIONS", {})},
    }

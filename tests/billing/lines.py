"""Records for journals, said briefly."""

from typing import Any

from billing.books.records import Record
from providers.attempts import Attempt
from providers.values import Usage


def record(request_id: str, account_id: int, cost_nano: int | None = 7, **said: Any) -> Record:
    values: dict[str, Any] = {
        "at": 1_750_000_000.25,
        "key_id": "k1",
        "endpoint": "chat",
        "asked_model": "chat",
        "model_id": "chat",
        "provider": "acme",
        "upstream_id": "chat-1",
        "attempts": [Attempt("acme", "chat-1", 1, "answered", 200, 12)],
        "usage": Usage(3, 4),
    }
    given = values | said
    return Record(request_id=request_id, account_id=account_id, cost_nano=cost_nano, **given)


def opened(request_id: str, account_id: int, cost_nano: int = 2) -> Record:
    """Return the line of a stream that begins."""
    said = {"stream": True, "opened": True, "outcome": "interrupted"}
    return record(request_id, account_id, cost_nano, **said)

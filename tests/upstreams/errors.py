"""Error answers, with the bodies that the providers send (error_bodies.json)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.upstreams.seen import Seen
from tests.upstreams.wire import Wire

BODIES = Path(__file__).with_name("error_bodies.json")


@dataclass(frozen=True)
class Status:
    """Answers any status. `body`: bytes as they are, text as text/plain, other values as JSON."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        if not isinstance(self.body, bytes | str):
            return await wire.json(self.body, self.status, self.headers)
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return await wire.answer(self.status, {"content-type": "text/plain", **self.headers}, body)


def error(provider: str, status: int, name: str = "", **headers: str) -> Status:
    """Return the answer that `provider` gives with `status`; `name` picks one of several.

    Headers are keywords: `error("groq", 429, retry_after="2")`.
    """
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    for row in shapes()[provider]:
        if matches(row["status"], status) and name in ("", row.get("name")):
            return Status(status, row["body"], named)
    raise LookupError(f"no body of {provider} for {status} {name} in {BODIES.name}")


def matches(known: int | str, status: int) -> bool:
    """Say whether a row's status (404, "4xx", "4xx/5xx") covers `status`."""
    return known == status or f"{status // 100}xx" in str(known)


@cache
def shapes() -> dict[str, list[dict[str, Any]]]:
    return dict(json.loads(BODIES.read_text())["providers"])

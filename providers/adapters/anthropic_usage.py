"""Anthropic's counts, in which no token is in two, and what OpenAI's clients are told of them.

A count that makes no sense is taken for one that is not there.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from providers.adapters.usage import MOST_PIECES, MOST_TOKENS, cut, whole
from providers.values import Usage

_any = msgspec.json.Decoder(dict[str, Any] | None).decode


class Counted(msgspec.Struct):
    """What was counted so far; None: nothing yet. write includes write_1h."""

    input: int | None = None
    output: int | None = None
    read: int | None = None
    write: int | None = None
    write_1h: int | None = None
    searches: int | None = None

    def updated(self, later: "Counted") -> "Counted":
        """Return the counts after `later`: they only grow, and need not be repeated."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(later), strict=True)
        return Counted(*(b if a is None else a if b is None else max(a, b) for a, b in pairs))

    def usage(self) -> Usage | None:
        """Return it as ours; None before the prompt is counted."""
        if self.input is None:
            return None
        hour = self.write_1h or 0
        written = max(self.write or 0, hour)
        return Usage(
            input=self.input,
            output=self.output or 0,
            cached_input=self.read or 0,
            cache_write=written - hour,
            cache_write_1h=hour,
            searches=cut(self.searches or 0, MOST_PIECES),
        )


def counted(raw: msgspec.Raw) -> Counted:
    try:
        said = _any(raw)
    except (msgspec.DecodeError, RecursionError):
        return Counted()
    if not said:
        return Counted()
    five, hour = (tokens(said, f"cache_creation.ephemeral_{kept}_input_tokens") for kept in AGES)
    written = tokens(said, "cache_creation_input_tokens")
    parts = None if five is None and hour is None else (five or 0) + (hour or 0)
    written = parts if written is None else written
    return Counted(
        tokens(said, "input_tokens"),
        tokens(said, "output_tokens"),
        tokens(said, "cache_read_input_tokens"),
        written,
        None if hour is None else min(hour, written or 0),
        tokens(said, "server_tool_use.web_search_requests"),
    )


AGES = ("5m", "1h")


def tokens(said: Mapping[str, Any], path: str) -> int | None:
    value: Any = said
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    found = whole(value)
    return found if found is not None and 0 <= found <= MOST_TOKENS else None


def usage_object(usage: Usage) -> dict[str, object]:
    """Return `usage` as OpenAI's clients expect it."""
    details = {"cached_tokens": usage.cached_input}
    written = usage.cache_write + usage.cache_write_1h
    if written:
        details["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": details,
    }

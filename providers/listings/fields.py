"""Typed, lenient reading of one row: what cannot be used is unknown and goes to `problems`."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

MOST_ID = 250
MOST_NAME = 250
MOST_DESCRIPTION = 4_000
MOST_ITEMS = 100
MOST_TOKENS = 100_000_000
LAST_MOMENT = 2**33  # in the year 2242; milliseconds and nonsense lie beyond
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
STRANGE_IN_ID = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]")
WHOLE = re.compile(r"-?[0-9]{1,18}")


@cache
def steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def clean(text: str, most: int) -> str:
    """Make text that any database stores: without control characters, and bounded."""
    text = text[: most * 2]
    return (text if text.isprintable() else CONTROL.sub(" ", text)).strip()[:most]


class Fields:
    """One row. Paths are dotted; where several are given, the first that holds something counts."""

    __slots__ = ("problems", "values")

    def __init__(self, values: dict[str, Any], problems: list[str] | None = None) -> None:
        self.values = values
        self.problems: list[str] = [] if problems is None else problems

    def inside(self, values: dict[str, Any]) -> "Fields":
        """Read a part of this row; what is wrong there is wrong with the row."""
        return Fields(values, self.problems)

    def at(self, *paths: str) -> Any:
        for path in paths:
            value: Any = self.values
            for step in steps(path):
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                return value
        return None

    def text(self, *paths: str, most: int = MOST_NAME) -> str:
        for path in paths:
            value = self.at(path)
            if isinstance(value, str) and value:
                return clean(value, most)
        return ""

    def texts(self, *paths: str) -> tuple[str, ...]:
        value = self.at(*paths)
        if not isinstance(value, list):
            return ()
        found = (clean(item, MOST_NAME) for item in value[:MOST_ITEMS] if isinstance(item, str))
        return tuple(item for item in found if item)

    def tokens(self, *paths: str) -> int | None:
        """Read a number of tokens. Null, 0 and -1 are unknown; nonsense is reported."""
        for path in paths:
            value = self.at(path)
            found = whole(value)
            if found is not None and 0 < found <= MOST_TOKENS:
                return found
            if value is not None and found not in (0, -1):
                self.problems.append(f"{path}: {shown(value)} is no number of tokens")
        return None

    def moment(self, *paths: str) -> int | None:
        """Read a moment, given as Unix seconds or RFC 3339, in Unix seconds."""
        value = self.at(*paths)
        if isinstance(value, str) and not WHOLE.fullmatch(value):
            return unix(value)
        found = whole(value)
        return found if found is not None and 0 < found < LAST_MOMENT else None

    def day(self, *paths: str) -> date | None:
        """Read a day, given as a moment, an ISO date or `{year, month, day}`, in UTC."""
        value = self.at(*paths)
        if isinstance(value, dict):
            parts = [whole(value.get(name)) or 0 for name in ("year", "month", "day")]
            return _day(*parts)
        seconds = self.moment(*paths)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date()

    def flag(self, *paths: str) -> bool:
        return self.at(*paths) is True


def whole(value: object) -> int | None:
    """Return a whole number, also of `"512"` and 512.0; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, Decimal) and -(10**18) < value < 10**18:
        return int(value) if value == int(value) else None
    return None


def unix(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text[:40])
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return int(seconds) if 0 < seconds < LAST_MOMENT else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def shown(value: object) -> str:
    """Quote a value in a report, bounded."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return clean(repr(value[:60]) if isinstance(value, str) else f"{value}", 60)

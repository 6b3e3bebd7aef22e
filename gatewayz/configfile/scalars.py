"""How one value is read from the file and written back. Pure; a Wrong says what to write."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NoReturn

from gatewayz.configfile.problems import shown
from gatewayz.configfile.reading import Mapping, Node, Scalar, Sequence

NULL = frozenset({"", "~", "null", "Null", "NULL"})
YES = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
NO = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9_]*)")
DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_WHOLE = 2**31 - 1  # what an integer column holds in every database
MOST_DIGITS = 40


class Wrong(ValueError):
    """A value cannot be used. line and tail: the place inside it, where it is a list or mapping."""

    def __init__(self, message: str, line: int = 0, tail: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.tail = message, line, tail


def refuse(wanted: str, node: Node, tail: str = "") -> NoReturn:
    kinds = {Mapping: "a mapping", Sequence: "a list"}
    found = kinds.get(type(node)) or (
        "nothing" if is_null(node) else shown(node.text) if isinstance(node, Scalar) else ""
    )
    raise Wrong(f"expected {wanted}, found {found}", node.line if tail else 0, tail)


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text in NULL


def text(node: Node, tail: str = "", wanted: str = "text") -> str:
    """Read text; a number counts as its own text, true and false do not."""
    if not isinstance(node, Scalar) or is_null(node):
        refuse(wanted, node, tail)
    if node.plain and node.text.lower() in ("true", "false"):
        refuse(f"{wanted} (in quotes)", node, tail)
    if "\0" in node.text or any("\ud800" <= char <= "\udfff" for char in node.text):
        raise Wrong("a character that no database stores", node.line, tail)
    return node.text


def secret(node: Node) -> str:
    """Read a credential, and never repeat it."""
    if not isinstance(node, Scalar) or is_null(node) or not node.text.strip():
        raise Wrong("expected the credential itself, as text")
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in node.text):
        raise Wrong("a credential holds no line breaks or control characters")
    return node.text


def truth(node: Node) -> bool:
    if isinstance(node, Scalar) and node.plain and node.text in YES | NO:
        return node.text in YES
    refuse("true or false", node)


def whole(most: int = MOST_WHOLE) -> Callable[[Node], int]:
    """Return a reader of whole numbers from 0 to `most`."""

    def read(node: Node) -> int:
        wanted = f"a whole number from 0 to {most}"
        if not isinstance(node, Scalar) or not node.plain or not WHOLE.fullmatch(node.text):
            refuse(wanted, node)
        digits = node.text.replace("_", "")
        if len(digits) > MOST_DIGITS or not 0 <= int(digits) <= most:
            refuse(wanted, node)
        return int(digits)

    return read


def exact(node: Node, wanted: str) -> Decimal:
    """Read a number from its text, quoted or not, without ever passing through a float."""
    if not isinstance(node, Scalar) or not DECIMAL.fullmatch(node.text):
        refuse(wanted, node)
    if len(node.text) > MOST_DIGITS:
        refuse(f"{wanted} of at most {MOST_DIGITS} digits", node)
    return Decimal(node.text)


def money(node: Node) -> Decimal:
    value = exact(node, 'a price in USD, such as "0.50", without an exponent')
    if value < 0:
        refuse("a price that is not negative", node)
    return abs(value)


def factor(node: Node) -> Decimal:
    value = exact(node, 'a factor, such as "1.25", without an exponent')
    if value < 0:
        refuse("a factor that is not negative", node)
    return abs(value)


def seconds(node: Node) -> float:
    wanted = "seconds, such as 5 or 0.5"
    if isinstance(node, Scalar) and not node.plain:
        refuse(f"{wanted}, without quotes", node)
    value = exact(node, wanted)
    if value > MOST_WHOLE:
        refuse(f"at most {MOST_WHOLE} seconds", node)
    return float(value)


def moment(node: Node) -> datetime:
    """Read a date, meaning its first moment in UTC, or a date and time, in UTC unless it says."""
    wanted = "a date such as 2026-12-31, or 2026-12-31T18:00:00Z"
    if not isinstance(node, Scalar) or not DAY.match(node.text) or len(node.text) > MOST_DIGITS:
        refuse(wanted, node)
    try:
        value = datetime.fromisoformat(node.text.replace(" Z", "Z").replace(" +", "+"))
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(wanted, node)


def strings(node: Node) -> list[str]:
    if not isinstance(node, Sequence):
        refuse("a list of texts, such as [a, b]", node)
    return [text(item, f"[{index}]") for index, item in enumerate(node.items)]


def string_map(node: Node) -> dict[str, str]:
    if not isinstance(node, Mapping):
        refuse("a mapping of texts, such as {X-Team: red}", node)
    return {entry.key: text(entry.value, f".{entry.key}") for entry in node.entries}


def plain(node: Node, tail: str = "") -> object:
    """Read what JSON can say. Levels are bounded by the reader, so the recursion is too."""
    if isinstance(node, Mapping):
        return {e.key: plain(e.value, f"{tail}.{e.key}") for e in node.entries}
    if isinstance(node, Sequence):
        return [plain(item, f"{tail}[{index}]") for index, item in enumerate(node.items)]
    if not node.plain:
        return text(node, tail)
    if is_null(node):
        return None
    if node.text in YES | NO:
        return node.text in YES
    return number(node, tail) if NUMBER.fullmatch(node.text) else text(node, tail)


def number(node: Scalar, tail: str) -> int | float:
    """Read a number as JSON does: a whole one stays whole."""
    value = float(node.text) if len(node.text) <= MOST_DIGITS else float("inf")
    if abs(value) > 2**53:
        refuse("a smaller number", node, tail)
    return value if "." in node.text or "e" in node.text.lower() else int(node.text)


def listing(node: Node) -> list[dict[str, object]]:
    """Read where models are listed. Keys beyond parser, url and auth are the parser's own."""
    if not isinstance(node, Sequence):
        refuse("a list such as [{parser: openai, url: …}]", node)
    for index, item in enumerate(node.items):
        if not isinstance(item, Mapping):
            refuse("a mapping with parser, url and auth", item, f"[{index}]")
        for entry in item.entries:
            if entry.key in ("parser", "url", "auth"):
                text(entry.value, f"[{index}].{entry.key}")
    return plain(node)  # type: ignore[return-value]


def guards(node: Node) -> dict[str, object]:
    """Read what a sync may change without being held back, in numbers."""
    if not isinstance(node, Mapping):
        refuse("a mapping such as {min_models: 100}", node)
    for entry in node.entries:
        value = plain(entry.value, f".{entry.key}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse("a number", entry.value, f".{entry.key}")
    return plain(node)  # type: ignore[return-value]


def as_is(value: object) -> object:
    return value


def exact_text(value: object) -> object:
    """Write a Decimal without trailing zeros: `0.5`."""
    return None if value is None else format(Decimal(str(value)).normalize(), "f")


def short_number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def short_moment(value: object) -> object:
    """Write midnight in UTC as a date, other moments in full."""
    if not isinstance(value, datetime):
        return value
    there = value.astimezone(UTC)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
    return date(there.year, there.month, there.day) if there == midnight else there.isoformat()

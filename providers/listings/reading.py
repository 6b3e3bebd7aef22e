"""From bytes to rows, each row on its own, so that a bad one does not spoil its neighbours."""

import json
from decimal import Decimal
from typing import Any

import msgspec

from providers.listings.fields import Fields, clean
from providers.listings.values import ListingError

MOST_ERROR_TEXT = 200
BROKEN = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)

_table = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_rows = msgspec.json.Decoder(list[msgspec.Raw] | None)
_value = msgspec.json.Decoder(float_hook=Decimal)  # 2.3e-05 stays what was written


def rows_of(body: bytes, key: str | None, *, null_is_empty: bool) -> tuple[list[Any], Fields]:
    """Return the rows, undecoded, and what else the envelope says. `key` None: a bare array."""
    start = body[:1000].lstrip()[:1]
    if start == b"<":
        raise ListingError("the answer is HTML")
    if not start and not body.strip():
        raise ListingError("the answer is empty")
    answer = outline(body, key)
    if isinstance(answer, list):
        return bare(answer, key), Fields({})
    if key is None or not isinstance(answer, dict):
        refuse_error(answer)
        raise ListingError("not a list: something else than a bare array")
    if key not in answer:
        refuse_error(answer)
        raise ListingError(f"not a list: no `{key}` in the answer")
    rows = answer.pop(key)
    if rows is None and null_is_empty:
        rows = []
    if not isinstance(rows, list):
        raise ListingError(f"not a list: `{key}` is something else")
    return rows, Fields(answer)


def bare(rows: list[Any], key: str | None) -> list[Any]:
    """Return the rows of a bare array, where one is wanted."""
    if key is None:
        return rows
    refuse_error(decoded(rows[0]) if rows else None)  # Google wraps its errors in an array
    raise ListingError(f"not a list: a bare array where an object with `{key}` belongs")


def outline(body: bytes, key: str | None) -> Any:
    """Decode the envelope, but not its rows. Raise ListingError for what is no JSON."""
    try:
        return strictly(body, key)
    except BROKEN as problem:
        try:
            return leniently(body)
        except BROKEN:
            raise ListingError(f"not a list: {clean(str(problem), MOST_ERROR_TEXT)}") from None


def strictly(body: bytes, key: str | None) -> Any:
    if body.lstrip()[:1] == b"[":
        return _array.decode(body)
    parts = _table.decode(body)
    return {
        name: (_rows if name == key else _value).decode(raw)  # type: ignore[attr-defined]
        for name, raw in parts.items()
    }


def leniently(body: bytes) -> Any:
    """Decode what servers send though JSON has no such thing: half a character pair, NaN."""
    return json.loads(body, parse_float=Decimal, parse_constant=str)


def row(raw: Any) -> dict[str, Any]:
    """Decode one row, numbers exactly. Raise ListingError when it is no object."""
    values = decoded(raw)
    if not isinstance(values, dict):
        raise ListingError("not an object")
    return values


def decoded(raw: Any) -> Any:
    try:
        return _value.decode(raw) if isinstance(raw, msgspec.Raw) else raw
    except BROKEN as problem:
        raise ListingError(clean(str(problem), MOST_ERROR_TEXT)) from None


def refuse_error(answer: object) -> None:
    """Raise ListingError with the provider's words, when the answer is an error."""
    if not isinstance(answer, dict):
        return
    error = answer.get("error") or answer.get("detail") or answer.get("message")
    if isinstance(error, dict):
        error = error.get("message") or error.get("code")
    if error:
        words = clean(error, MOST_ERROR_TEXT) if isinstance(error, str) else "an error"
        raise ListingError(f"the provider answered: {words}")

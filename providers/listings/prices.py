"""Prices to USD per token, exactly: no unit is assumed, no float touched, nonsense refused."""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from typing import Any

from providers.listings.fields import Fields, shown
from providers.listings.values import UNKNOWN, ListedPrice

NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,60})?([eE][+-]?[0-9]{1,4})?|\.[0-9]{1,60}")
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])

LEAST_PER_TOKEN = Decimal("1E-9")  # 0.001 USD per million
MOST_PER_TOKEN = Decimal("1E-3")  # 1000 USD per million
MOST_PER_UNIT = Decimal(1000)
PER_UNIT = ("image", "request", "web_search", "second")
BASE = ("input", "output")
SPECIAL = (
    *("cached_input", "cache_write", "cache_write_1h", "reasoning"),
    *("audio_input", "audio_output", "image_input", "image_output"),
)
BY_TOKEN = frozenset({"chat", "completions", "embeddings", "rerank", "moderations"})


class Unit(StrEnum):
    """What a listed number counts."""

    USD_PER_TOKEN = "usd_per_token"
    USD_PER_MILLION = "usd_per_million_tokens"
    TEN_THOUSANDTHS_PER_MILLION = "usd_1e-4_per_million_tokens"
    CENTS_PER_TOKEN = "cents_per_token"
    CENTS_PER_100_MILLION = "cents_per_100_million_tokens"
    USD = "usd"  # each: an image, a request, a second
    CENTS = "cents"


PER_TOKEN = tuple(unit for unit in Unit if unit not in (Unit.USD, Unit.CENTS))
FACTOR: Mapping[Unit, Decimal] = {
    Unit.USD_PER_TOKEN: Decimal(1),
    Unit.USD_PER_MILLION: Decimal("1E-6"),
    Unit.TEN_THOUSANDTHS_PER_MILLION: Decimal("1E-10"),
    Unit.CENTS_PER_TOKEN: Decimal("0.01"),
    Unit.CENTS_PER_100_MILLION: Decimal("1E-10"),
    Unit.USD: Decimal(1),
    Unit.CENTS: Decimal("0.01"),
}

Quote = dict[str, Decimal]  # what is known, by ListedPrice's names
PriceRule = Callable[[Fields], Quote]


def unpriced(_: Fields) -> Quote:
    """The list has no prices."""
    return {}


def quoted(unit: Unit, **paths: str) -> PriceRule:
    """Read each price at its path, all in one unit."""
    places = tuple(paths.items())

    def rule(fields: Fields) -> Quote:
        found = ((name, amount(fields, path, unit)) for name, path in places)
        return {name: price for name, price in found if price is not None}

    return rule


def first_known(*rules: PriceRule) -> PriceRule:
    """Take each price from the first of the rules that knows it."""

    def rule(fields: Fields) -> Quote:
        quote: Quote = {}
        for read in rules:
            quote = {**read(fields), **quote}
        return quote

    return rule


def amount(fields: Fields, path: str, unit: Unit) -> Decimal | None:
    """Read one price in USD. Null, "" and -1 are unknown; what is no number is reported."""
    value = fields.at(path)
    if value is None or value == "":
        return None
    try:
        found = number(value)
        return None if found == -1 else EXACT.multiply(found, FACTOR[unit])
    except (ValueError, ArithmeticError):
        fields.problems.append(f"{path}: {shown(value)} is no price")
        return None


def number(value: object) -> Decimal:
    """Return a JSON number, or one in a string, as it is written. Raise ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("not a number")
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError("not a number")
    return Decimal(value)


def plausible(fields: Fields, quote: Quote, capabilities: frozenset[str]) -> ListedPrice:
    """Refuse what cannot be a price, and take zeros that do not mean free for unknown.

    When input or output is beyond the band the unit has drifted, so no price of the row is kept.
    """
    if not quote:
        return UNKNOWN
    wrong = [name for name, price in quote.items() if not within_band(name, price)]
    for name in wrong:
        fields.problems.append(f"price {name}: {worded(name, quote[name])}")
    if any(name in BASE for name in wrong):
        return UNKNOWN
    kept = {name: price for name, price in quote.items() if name not in wrong}
    prices: dict[str, Any] = {**meant(kept, capabilities)}
    return ListedPrice(**prices)


def within_band(name: str, price: Decimal) -> bool:
    if not price:
        return True
    if name in PER_UNIT:
        return 0 < price <= MOST_PER_UNIT
    return LEAST_PER_TOKEN <= price <= MOST_PER_TOKEN


def worded(name: str, price: Decimal) -> str:
    if name in PER_UNIT:
        return f"{shown(price)} USD each is outside 0 to {MOST_PER_UNIT}"
    per_million = shown(price.scaleb(6, EXACT))
    return f"{per_million} USD per million tokens is outside 0.001 to 1000"


def meant(quote: Quote, capabilities: frozenset[str]) -> Quote:
    """Read zeros as their lists mean them.

    What is not sold by the token, as images and audio, has zeros because its price is elsewhere.
    Beside a priced input, a zero for cached, written, reasoned or heard tokens only says that
    nothing special holds for them.
    """
    if not capabilities & BY_TOKEN:
        return without_zeros(quote, tuple(quote))
    return without_zeros(quote, SPECIAL) if quote.get("input") else quote


def without_zeros(quote: Quote, names: tuple[str, ...]) -> Quote:
    return {name: price for name, price in quote.items() if price or name not in names}

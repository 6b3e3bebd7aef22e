"""Prices beyond input, output and cached input, as one JSON value: checked, and read. Pure.

`{"request": "0.01", "tiers": [{"min_prompt_tokens": 200000, "input": "6"}]}`: USD per million
tokens, of pieces for one; decimal text, so that nothing is rounded on the way.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.rates import BUCKETS, MINUTES_OF_DAY, PIECES
from providers.values import Tier

PICO_PER_TOKEN = 10**6  # 1 USD per million tokens is 10**6 pico-USD per token
PICO_PER_USD = 10**12
OF_THEIR_OWN = ("input", "output", "cached_input")  # these have columns, but for tiers
NAMES = tuple(name for name in BUCKETS if name not in OF_THEIR_OWN)
CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{0,12})?|\.[0-9]{1,12}")
CLOCK = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]")
MOST_TIERS = 24
MOST_TOKENS = 2**31 - 1


class BadPrices(ValueError):
    """What is wrong, for people; path: where, as in `tiers[0].input`."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message, self.path = message, path


def checked(given: object) -> dict[str, Any]:
    """Return the value in its one form; raises BadPrices."""
    if not isinstance(given, Mapping):
        raise BadPrices('write an object such as {"cache_write": "3.75"}')
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "tiers":
            found[name] = tiers(value)
        elif name in NAMES:
            found[name] = price(name, value, name)
        else:
            raise BadPrices(
                f"there is no such price; there are {', '.join((*NAMES, 'tiers'))}", name
            )
    return {name: found[name] for name in (*NAMES, "tiers") if found.get(name)}


def price(name: str, value: object, path: str) -> str:
    """Return a price as text, exact in pico-USD: six decimals by the million, twelve by piece."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    places = 12 if name in PIECES else 6
    if not NUMBER.fullmatch(text) or -exponent(text) > places:
        unit = "USD each" if name in PIECES else "USD per million tokens"
        raise BadPrices(f'a price is {unit} in quotes, such as "0.50", to {places} decimals', path)
    return short(text)


def short(text: str) -> str:
    return f"{Decimal(text).normalize():f}"


def exponent(text: str) -> int:
    return int(Decimal(text).normalize().as_tuple().exponent)


def tiers(given: object) -> list[dict[str, Any]]:
    if not isinstance(given, list) or len(given) > MOST_TIERS:
        raise BadPrices(f"write a list of at most {MOST_TIERS}", "tiers")
    return [tier(one, f"tiers[{place}]") for place, one in enumerate(given)]


def tier(given: object, path: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise BadPrices('write an object such as {"min_prompt_tokens": 200000, "input": "6"}', path)
    for name in given:
        if name not in (*CONDITIONS, *BUCKETS):
            raise BadPrices("there is no such condition or price", f"{path}.{name}")
    conditions = {name: given[name] for name in CONDITIONS if given.get(name) is not None}
    check_conditions(conditions, path)
    prices = {name: price(name, given[name], f"{path}.{name}") for name in BUCKETS if name in given}
    if not prices:
        raise BadPrices("a tier has at least one price", path)
    return {**conditions, **prices}


def check_conditions(given: Mapping[str, object], path: str) -> None:
    least = given.get("min_prompt_tokens", 0)
    if isinstance(least, bool) or not isinstance(least, int) or not 0 <= least <= MOST_TOKENS:
        raise BadPrices("a whole number of tokens", f"{path}.min_prompt_tokens")
    window = [name for name in ("utc_start", "utc_end") if name in given]
    for name in window:
        value = given[name]
        if not isinstance(value, str) or not CLOCK.fullmatch(value):
            raise BadPrices('a time of day in UTC, in quotes, such as "1630"', f"{path}.{name}")
    if len(window) == 1 or (window and given["utc_start"] == given["utc_end"]):
        raise BadPrices("a window has a utc_start and a utc_end that differ", path)
    if not given:
        raise BadPrices(f"a tier has a condition: {', '.join(CONDITIONS)}", path)


def text_of(other: Mapping[str, Any]) -> str:
    """Return it as text that is equal for equal prices."""
    return json.dumps(other, sort_keys=True, separators=(",", ":")) if other else ""


def stored(text: str) -> dict[str, Any]:
    """Return what text_of made the text of."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def read(text: str) -> tuple[dict[str, int], tuple[Tier, ...]]:
    """Return the prices in pico-USD by bucket, and the tiers, of what text_of made."""
    other = stored(text)
    prices = {name: pico(name, other[name]) for name in NAMES if name in other}
    return prices, tuple(map(tier_of, other.get("tiers", ())))


def tier_of(stored: Mapping[str, Any]) -> Tier:
    return Tier(
        prices=tuple((name, pico(name, stored[name])) for name in BUCKETS if name in stored),
        min_prompt_tokens=stored.get("min_prompt_tokens"),
        utc_start=minutes(stored.get("utc_start")),
        utc_end=minutes(stored.get("utc_end")),
    )


def pico(name: str, usd: str) -> int:
    """Return whole pico-USD per token or piece; lists have digits beyond, rounded half up."""
    factor = PICO_PER_USD if name in PIECES else PICO_PER_TOKEN
    return int((Decimal(usd) * factor + Decimal("0.5")) // 1)


def minutes(clock: str | None) -> int | None:
    return None if clock is None else (int(clock[:2]) * 60 + int(clock[2:])) % MINUTES_OF_DAY


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}{minutes % 60:02}"

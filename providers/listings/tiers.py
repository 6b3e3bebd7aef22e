"""Prices under conditions, as OpenRouter lists them: `overrides` of a row's `pricing`."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from providers.listings.fields import Fields, shown, whole
from providers.listings.prices import SPECIAL, Unit, amount, within_band, without_zeros, worded
from providers.listings.values import ListedTier

MOST_TIERS = 24
CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
TierRule = Callable[[Fields], tuple[ListedTier, ...]]


class Unusable(ValueError):
    """A tier of which something is not known; half of it could mean anything."""


def no_tiers(_: Fields) -> tuple[ListedTier, ...]:
    return ()


def overridden(path: str, names: Mapping[str, tuple[str, Unit]]) -> TierRule:
    """Read the tiers at `path`. names: by their key, our name of a price and its unit."""

    def rule(fields: Fields) -> tuple[ListedTier, ...]:
        listed = fields.at(path)
        if not isinstance(listed, list):
            return ()
        found = []
        for place, one in enumerate(listed[:MOST_TIERS]):
            try:
                found.append(tier(fields, one, names))
            except Unusable as problem:
                fields.problems.append(f"{path}[{place}]: {problem}")
        return tuple(found)

    return rule


def tier(fields: Fields, listed: object, names: Mapping[str, tuple[str, Unit]]) -> ListedTier:
    if not isinstance(listed, dict):
        raise Unusable(f"{shown(listed)} is no tier")
    prices = without_zeros(quote(fields.inside(listed), listed, names), SPECIAL)
    least, window = listed.get("min_prompt_tokens"), [listed.get(n) for n in CONDITIONS[1:]]
    tokens = None if least is None else whole(least)
    if least is not None and (tokens is None or tokens < 0):
        raise Unusable(f"{shown(least)} is no number of tokens")
    start, end = (None if value is None else minutes(value) for value in window)
    if (start is None) != (end is None) or (start is not None and start == end):
        raise Unusable("a window of time without beginning or end")
    if tokens is None and start is None:
        raise Unusable("no condition")
    return ListedTier(tuple(prices.items()), tokens, start, end)


def quote(
    fields: Fields, listed: Mapping[str, object], names: Mapping[str, tuple[str, Unit]]
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for key in listed:
        if key in CONDITIONS:
            continue
        if key not in names:
            raise Unusable(f"{shown(key)} is no price or condition that we know")
        name, unit = names[key]
        price = amount(fields, key, unit)
        if price is None:
            raise Unusable(f"{key} is not known")
        if not within_band(name, price):
            raise Unusable(f"price {name}: {worded(name, price)}")
        found[name] = price
    return found


def minutes(clock: object) -> int:
    """Read `HHMM`; a number has lost its first zeros."""
    text = f"{clock:04}" if isinstance(clock, int) and not isinstance(clock, bool) else str(clock)
    hour, minute = text[:2], text[2:]
    if len(text) != 4 or not (text.isascii() and text.isdigit()):
        raise Unusable(f"{shown(clock)} is no time of day")
    if int(hour) > 23 or int(minute) > 59:
        raise Unusable(f"{shown(clock)} is no time of day")
    return int(hour) * 60 + int(minute)

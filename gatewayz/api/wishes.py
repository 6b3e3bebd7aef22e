"""Which providers a request wants: a slug, or OpenRouter's `provider` object."""

from decimal import Decimal, InvalidOperation

import msgspec

from catalog.asks import Preferences
from providers.errors import BadRequest

PICO_PER_TOKEN = 10**6  # of a price in USD per million tokens
SORTS = ("price", "latency", "throughput")


class ProviderWish(msgspec.Struct, forbid_unknown_fields=True):
    """OpenRouter's `provider` object as far as we keep it. The rest is refused, not ignored."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool | None = None
    sort: str | None = None
    max_price: dict[str, float | str] | None = None


def preferences(wish: str | ProviderWish) -> Preferences:
    """Return the wish as preferences; a plain slug pins."""
    if isinstance(wish, str):
        return Preferences(only=(wish,))
    if wish.sort is not None and wish.sort not in SORTS:
        raise BadRequest(f"`provider.sort` is one of {', '.join(SORTS)}.", param="provider.sort")
    return Preferences(
        only=tuple(wish.only or ()),
        order=tuple(wish.order or ()),
        ignore=tuple(wish.ignore or ()),
        allow_fallbacks=wish.allow_fallbacks is not False,
        sort=wish.sort or "",
        max_price=tuple(limit(side, price) for side, price in (wish.max_price or {}).items()),
    )


def limit(side: str, usd_per_million: float | str) -> tuple[str, int]:
    """Return a price limit in pico-USD per token."""
    param = "provider.max_price"
    if side not in ("prompt", "completion"):
        raise BadRequest(f"`{param}` has prompt and completion, no {side[:40]!r}.", param=param)
    param = f"{param}.{side}"
    try:
        value = Decimal(str(usd_per_million))
        if not 0 <= value < 10**6:
            raise InvalidOperation
    except InvalidOperation as problem:
        raise BadRequest(f"`{param}` is USD per million tokens.", param=param) from problem
    return side, int(value * PICO_PER_TOKEN)

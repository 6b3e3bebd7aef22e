"""Prices as OpenRouter shows them: USD as decimal strings, null unknown, "0" free."""

from decimal import Decimal
from functools import lru_cache

from msgspec import UNSET, Struct, UnsetType

from catalog.other_prices import clock
from providers.values import Price, Tier

PICO = Decimal(10) ** 12
SHOWN = 16_384  # different prices that are written once
NAMES = {
    "input": "prompt",
    "output": "completion",
    "cached_input": "input_cache_read",
    "cache_write": "input_cache_write",
    "cache_write_1h": "input_cache_write_1h",
    "reasoning": "internal_reasoning",
    "audio_input": "audio",
    "audio_output": "audio_output",
    "image_input": "image_token",
    "image_output": "image_output",
    "request": "request",
    "web_search": "web_search",
    "image": "image",
}
OPTIONAL = tuple(
    (ours, theirs) for ours, theirs in NAMES.items() if ours not in ("input", "output")
)


class Override(Struct, omit_defaults=True):
    """Conditions, all of which must hold, and the prices that hold then."""

    min_prompt_tokens: int | None = None
    utc_start: str | None = None
    utc_end: str | None = None
    prompt: str | None = None
    completion: str | None = None
    input_cache_read: str | None = None
    input_cache_write: str | None = None
    input_cache_write_1h: str | None = None
    internal_reasoning: str | None = None
    audio: str | None = None
    audio_output: str | None = None
    image_token: str | None = None
    image_output: str | None = None
    request: str | None = None
    web_search: str | None = None
    image: str | None = None


class Pricing(Struct):
    """Per token, or for one request, search or image."""

    prompt: str | None
    completion: str | None
    input_cache_read: str | UnsetType = UNSET
    input_cache_write: str | UnsetType = UNSET
    input_cache_write_1h: str | UnsetType = UNSET
    internal_reasoning: str | UnsetType = UNSET
    audio: str | UnsetType = UNSET
    audio_output: str | UnsetType = UNSET
    image_token: str | UnsetType = UNSET
    image_output: str | UnsetType = UNSET
    request: str | UnsetType = UNSET
    web_search: str | UnsetType = UNSET
    image: str | UnsetType = UNSET
    overrides: list[Override] | UnsetType = UNSET


def pricing(price: Price) -> Pricing:
    made = Pricing(usd(price.input), usd(price.output))
    for ours, theirs in OPTIONAL:
        pico = getattr(price, ours)
        if pico is not None:
            setattr(made, theirs, usd(pico))
    if price.tiers:
        made.overrides = list(map(override, price.tiers))
    return made


def override(tier: Tier) -> Override:
    made = Override(tier.min_prompt_tokens)
    if tier.utc_start is not None and tier.utc_end is not None:
        made.utc_start, made.utc_end = clock(tier.utc_start), clock(tier.utc_end)
    for ours, pico in tier.prices:
        setattr(made, NAMES[ours], usd(pico))
    return made


@lru_cache(SHOWN)
def usd(pico: int | None) -> str | None:
    return None if pico is None else f"{(Decimal(pico) / PICO).normalize():f}"

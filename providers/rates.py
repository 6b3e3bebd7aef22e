"""What each kind of token and piece costs, where not all of them have a price. Pure."""

from collections.abc import Mapping, Sequence

# What is counted of an answer, each thing once. Usage and Price name them in this order.
BUCKETS = (
    "input",
    "output",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
    "request",
    "web_search",
    "image",
)
PIECES = ("request", "web_search", "image")  # priced each, the others per token
OF_PROMPT = ("input", "cached_input", "cache_write", "cache_write_1h")
OF_MEDIA = (*OF_PROMPT, "audio_input", "image_input")
OF_ANSWER = ("output", "reasoning", "audio_output", "image_output")
MINUTES_OF_DAY = 1440

Rates = tuple[int | None, ...]  # pico-USD by bucket
Prices = Mapping[str, int | None]
Dearest = tuple[int | None, int | None, int | None, int, int]


def filled(prices: Prices) -> Rates:
    """Return the rates by bucket. What has no price of its own costs as what it is a part of:
    an hour in the cache as five minutes, anything else that goes in as input, what comes out as
    output. Pieces without a price are not charged apart."""
    read, said = prices["input"], prices["output"]
    written = first(prices["cache_write"], read)
    return (
        read,
        said,
        first(prices["cached_input"], read),
        written,
        first(prices["cache_write_1h"], written),
        first(prices["reasoning"], said),
        first(prices["audio_input"], read),
        first(prices["audio_output"], said),
        first(prices["image_input"], read),
        first(prices["image_output"], said),
        *(prices[piece] or 0 for piece in PIECES),
    )


def first(own: int | None, whole: int | None) -> int | None:
    return whole if own is None else own


def dearest(prices: Prices, tiers: Sequence[Sequence[tuple[str, int]]]) -> Dearest:
    """Return the highest rates that may be met, whichever of `tiers` hold.

    They are of a token of text, of media and of the answer, of the request and of an image.
    """
    highest = dict(prices)
    for tier in tiers:
        for name, pico in tier:
            highest[name] = max(pico, highest[name] or 0)
    rates = dict(zip(BUCKETS, filled(highest), strict=True))
    return (
        greatest(rates, OF_PROMPT),
        greatest(rates, OF_MEDIA),
        greatest(rates, OF_ANSWER),
        rates["request"] or 0,
        rates["image"] or 0,
    )


def greatest(rates: Prices, names: Sequence[str]) -> int | None:
    """Return the highest of the rates; None if one of them is not known."""
    found = [rate for name in names if (rate := rates[name]) is not None]
    return max(found) if len(found) == len(names) else None

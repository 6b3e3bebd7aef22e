"""What an answer costs: whole numbers from the provider's price to the customer's nano-USD."""

from decimal import Decimal

from providers.values import Price, Usage

PICO_PER_NANO = 1000


def cost_nano(price: Price, usage: Usage, markup: Decimal) -> int | None:
    """Return the customer's cost in nano-USD, rounded half up; None if a price it needs is unknown.

    Cached input is charged as input where it has no price of its own.
    """
    cached_price = price.input if price.cached_input is None else price.cached_input
    buckets = (
        (usage.prompt - usage.cached, price.input),
        (usage.cached, cached_price),
        (usage.completion, price.output),
    )
    pico = 0
    for tokens, per_token in buckets:
        if tokens and per_token is None:
            return None
        pico += tokens * (per_token or 0)
    factor, unit = markup.as_integer_ratio()
    whole, unit = pico * factor, PICO_PER_NANO * unit
    return (2 * whole + unit) // (2 * unit)

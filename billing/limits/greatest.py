"""The most that a request can cost, for as long as billing.estimates does not say it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from billing.pricing import cost_nano
from providers.values import Route, Usage

MOST_OUTPUT = 4096  # where the request sets no limit
NAMES = ("max_completion_tokens", "max_tokens")


def greatest_nano(
    routes: Sequence[Route], fields: Mapping[str, msgspec.Raw], prompt: int, markup: Decimal
) -> int:
    """Return the cost on the dearest route; a price that is not known counts as nothing."""
    limits = [int(msgspec.json.decode(fields[name]) or 0) for name in NAMES if name in fields]
    most = Usage(prompt=2 * prompt, completion=max(limits, default=0) or MOST_OUTPUT)
    return max(cost_nano(route.price, most, markup) or 0 for route in routes)

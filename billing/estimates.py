"""What a request can cost at most, and token counts where a provider reports none. Pure.

No vocabulary is at hand, so bytes stand for tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.pricing import cost_nano
from providers.values import Route, Usage

BYTES_PER_TOKEN = 4  # of what passed
LEAST_BYTES_PER_TOKEN = 2  # of what may come
MOST_OUTPUT = 16_384  # tokens, where nothing else bounds an answer


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a request can use. text: of its prompt, in bytes. output: tokens of each of
    `choices` answers, None where the request sets no limit."""

    text: int
    output: int | None = None
    choices: int = 1


def greatest_cost_nano(routes: Sequence[Route], bounds: Bounds, markup: Decimal) -> int:
    """Return the most that the request can cost the customer, on the dearest route."""
    output = MOST_OUTPUT if bounds.output is None else bounds.output
    usage = Usage(-(-bounds.text // LEAST_BYTES_PER_TOKEN), output * bounds.choices)
    return max(cost_nano(route.price, usage, markup) or 0 for route in routes)


def estimate(bounds: Bounds, text_bytes: int) -> Usage:
    """Return the usage of a prompt and of so many bytes of an answer, rounded up."""
    return Usage(
        prompt=-(-bounds.text // BYTES_PER_TOKEN),
        completion=-(-text_bytes // BYTES_PER_TOKEN),
        source="estimated",
    )

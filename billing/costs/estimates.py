"""What a request can cost at most, and token counts where a provider reports none. Pure.

No vocabulary is at hand, so bytes stand for tokens. Text, code and Chinese have at most one token
for two bytes; usual text has one for four, which is what an estimate takes.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from billing.costs.pricing import marked_up
from billing.values import Tariff
from providers.values import Route, Usage

BYTES_PER_TOKEN = 4  # of what passed
LEAST_BYTES_PER_TOKEN = 2  # of what may come
TARIFF = Tariff()


class Bounds(msgspec.Struct, frozen=True):
    """The most that a request can use, in tokens.

    text and media: what goes in; images: how many pieces of media. output: of each of `choices`
    answers, None where the request sets no limit.
    """

    text: int
    media: int = 0
    images: int = 0
    output: int | None = None
    choices: int = 1

    @property
    def prompt(self) -> int:
        return self.text + self.media

    @property
    def likely_prompt(self) -> int:
        """What a prompt of so many tokens at most usually has."""
        return -(-self.prompt // LEAST_BYTES_PER_TOKEN)


def greatest_cost_nano(
    routes: Sequence[Route], bounds: Bounds, markup: Decimal, tariff: Tariff = TARIFF
) -> int:
    """Return the most that the request can cost the customer, on the dearest route.

    Every price is known: see pricing.priced. Raises ValueError otherwise.
    """
    text, media, choices = bounds.text, bounds.media, bounds.choices
    prompt = text + media
    most = 0
    for route in routes:
        of_text, of_media, of_answer, of_request, of_image = route.price.dearest(prompt)
        output = bounds.output if bounds.output is not None else longest(route, prompt, tariff)
        if of_text is None or of_media is None or (of_answer is None and output):
            raise ValueError(f"the price of {route.upstream_id} is not known")
        pico = text * of_text + media * of_media + output * choices * (of_answer or 0)
        most = max(most, pico + of_request + bounds.images * of_image)
    return marked_up(most, markup)


def longest(route: Route, prompt: int, tariff: Tariff) -> int:
    """Return how long an answer can be: as the offer limits it, or else as the context does.

    The prompt may be half of its bound, so that much less of the context is taken.
    """
    if route.max_output_tokens is not None:
        return route.max_output_tokens
    if route.context_length is not None:
        return max(0, route.context_length - prompt // 2)
    return tariff.most_output


def estimate(bounds: Bounds, text_bytes: int) -> Usage:
    """Return the usage of a prompt and of so many bytes of an answer, rounded up."""
    return Usage(
        input=-(-bounds.text // LEAST_BYTES_PER_TOKEN),
        image_input=-(-bounds.media // LEAST_BYTES_PER_TOKEN),
        output=-(-text_bytes // BYTES_PER_TOKEN),
        source="estimated",
    )

"""What an answer costs: whole numbers from the provider's price to nano-USD. Pure.

Nothing is rounded but the two sums, ours and the customer's, each once, half up.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec

from billing.values import REFUSE, Tariff
from providers.errors import ModelNotAvailable
from providers.rates import BUCKETS, OF_ANSWER, OF_MEDIA, PIECES
from providers.values import Price, Route, Usage

PICO_PER_NANO = 1000
NANO_PER_USD = 10**9
GROUPS = {"prompt_cost": OF_MEDIA, "completions_cost": OF_ANSWER, "other_cost": PIECES}
DEFAULT = "default"  # the source of a price that is the plan's and not the offer's


class Line(msgspec.Struct, frozen=True):
    """A bucket on a receipt: how many tokens or pieces, and pico-USD for one before markup."""

    bucket: str
    quantity: int
    unit_pico: int


class Charge(msgspec.Struct, frozen=True):
    """What one answer costs. cost_nano: the customer; provider_cost_nano: us.

    source and price_id say where the price came from: see Price.
    """

    cost_nano: int
    provider_cost_nano: int
    lines: tuple[Line, ...]
    markup: Decimal
    source: str
    price_id: int

    @property
    def unit_prices(self) -> dict[str, int]:
        return {line.bucket: line.unit_pico for line in self.lines}


def charge(price: Price, usage: Usage, markup: Decimal, at: float) -> Charge | None:
    """Return what `usage` costs in a request that began at `at` (Unix seconds).

    None: a price that it needs is not known. Tiers by the prompt's size look at all of the prompt.
    """
    pico = 0
    lines = []
    rates = price.rates(usage.prompt, at)
    for bucket, quantity, rate in zip(BUCKETS, usage.counts, rates, strict=True):
        if not quantity:
            continue
        if rate is None:
            return None
        if rate or bucket != "request":
            pico += quantity * rate
            lines.append(Line(bucket, quantity, rate))
    return Charge(
        marked_up(pico, markup),
        half_up(pico, PICO_PER_NANO),
        tuple(lines),
        markup,
        price.source,
        price.price_id,
    )


def told(cost: Charge | None) -> dict[str, object]:
    """Return what a client that asks is told, in USD: all of it, and its parts.

    Each is rounded by itself, so the parts may differ from the whole by a nano-USD.
    """
    if cost is None:
        return {"cost": None}
    pico = dict.fromkeys(GROUPS, 0)
    for line in cost.lines:
        group = next(group for group, buckets in GROUPS.items() if line.bucket in buckets)
        pico[group] += line.quantity * line.unit_pico
    parts = {group: marked_up(sum_, cost.markup) / NANO_PER_USD for group, sum_ in pico.items()}
    return {"cost": cost.cost_nano / NANO_PER_USD, "cost_details": parts}


def marked_up(pico: int, markup: Decimal) -> int:
    """Return nano-USD with the markup, rounded half up."""
    factor, unit = markup.as_integer_ratio()
    return half_up(pico * factor, PICO_PER_NANO * unit)


def half_up(number: int, unit: int) -> int:
    return (2 * number + unit) // (2 * unit)


def priced(routes: Sequence[Route], tariff: Tariff, answers: bool = True) -> Sequence[Route]:
    """Return the routes with every price known: the plan's policy decides on the others.

    answers: whether tokens of an answer are paid for, as with chat. Raises ModelNotAvailable if
    the plan refuses what has no price and nothing else is left.
    """
    for route in routes:
        if not is_known(route.price, answers):
            break
    else:
        return routes
    if tariff.unpriced != REFUSE:
        return tuple(
            route
            if is_known(route.price, answers)
            else replace(route, price=completed(route.price, tariff))
            for route in routes
        )
    known = tuple(route for route in routes if is_known(route.price, answers))
    if not known:
        raise refused(routes)
    return known


def is_known(price: Price, answers: bool) -> bool:
    return price.input is not None and (price.output is not None or not answers)


def completed(price: Price, tariff: Tariff) -> Price:
    """Return the price with the plan's default for the sides that nobody knows."""
    return replace(
        price,
        input=tariff.default_input_pico if price.input is None else price.input,
        output=tariff.default_output_pico if price.output is None else price.output,
        source=DEFAULT,
    )


def refused(routes: Sequence[Route]) -> ModelNotAvailable:
    slugs = ", ".join(dict.fromkeys(route.endpoint.slug for route in routes))
    model = routes[0].model_id
    reason = f"its price at {slugs} is not known, and this plan refuses what has no price"
    return ModelNotAvailable(
        f"{model!r} cannot be called: {reason}. The operator can set a price on the offer, or let "
        "the plan charge a default.",
        param="model",
        metadata={"reason": reason, "alternatives": [], "list": "/v1/models"},
    )

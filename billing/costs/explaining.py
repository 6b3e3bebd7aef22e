"""What prices have to say where a request is explained."""

from collections.abc import Callable, Sequence

from billing.costs.pricing import is_known, priced
from billing.values import REFUSE, Tariff
from catalog.trace import Trace
from providers.values import Route


def by_plan(tariff: Tariff | None) -> Callable[[Sequence[Route], Trace], Sequence[Route]]:
    """Return what makes routes have prices, by the plan's policy; without a plan, none is made."""

    def price(routes: Sequence[Route], trace: Trace) -> Sequence[Route]:
        seen = {(route.model_id, route.endpoint.slug): route for route in routes}
        for (model_id, slug), route in seen.items():
            trace.note("price", f"{model_id} at {slug}", outcome(route, tariff))
        return routes if tariff is None else priced(routes, tariff)

    return price


def outcome(route: Route, tariff: Tariff | None) -> str:
    price = route.price
    if is_known(price, answers=True):
        return f"known, from {price.source}" if price.source else "known"
    if tariff is None:
        return "not known: the key's plan decides"
    return "not known: the plan refuses" if tariff.unpriced == REFUSE else charged(tariff)


def charged(tariff: Tariff) -> str:
    read, said = (
        f"{pico / 10**6:g}" for pico in (tariff.default_input_pico, tariff.default_output_pico)
    )
    return f"not known: the plan charges {read} / {said} USD per million tokens"

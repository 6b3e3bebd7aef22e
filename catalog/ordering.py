"""Which offer is tried first. Ties fall to priority, then slug, so that the order is stable."""

from collections.abc import Callable, Sequence

from catalog.asks import Preferences
from catalog.values import Offer, Snapshot, Variant

UNKNOWN = float("inf")


def by_price(offer: Offer) -> float:
    price = offer.price
    if price.input is None or price.output is None:
        return UNKNOWN
    return price.input + price.output


def by_latency(offer: Offer) -> float:
    return UNKNOWN if offer.latency_ms is None else offer.latency_ms


def by_throughput(offer: Offer) -> float:
    return UNKNOWN if offer.throughput_tps is None else -offer.throughput_tps


ORDERS: dict[str, Callable[[Offer], float]] = {
    "price": by_price,
    "latency": by_latency,
    "throughput": by_throughput,
    "priority": lambda offer: 0,
}


def ordered(
    snapshot: Snapshot, offers: Sequence[Offer], wanted: Preferences, variant: Variant | None
) -> list[Offer]:
    """Return `offers` best first: the request's order, its sort or the variant's, then priority."""
    if len(offers) < 2:
        return list(offers)
    rank = ORDERS[wanted.sort or (variant.order_by if variant else "priority")]
    places = {slug: place for place, slug in reversed(list(enumerate(wanted.order)))}

    def key(offer: Offer) -> tuple[int, float, int, str]:
        priority = snapshot.endpoints[offer.slug].priority
        return places.get(offer.slug, len(places)), rank(offer), priority, offer.slug

    return sorted(offers, key=key)

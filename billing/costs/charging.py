"""Who answered a request, what that used, and what it costs: the customer and us. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from billing.books.records import Record, booked
from billing.costs.estimates import Bounds, estimate
from billing.costs.pricing import charge
from providers.attempts import Attempt
from providers.dispatch import Reply
from providers.values import Route, Usage

UNMARKED = Decimal(1)


def used(reply: Reply, bounds: Bounds, outcome: str) -> Usage | None:
    """Return what the provider reported, or an estimate of what passed; None if nothing did.

    Of a client that left before the answer, the prompt passed. Of a stream that broke off before
    its first token, nothing did.
    """
    reader = reply.stream.reader if reply.stream is not None else None
    said = reply.answer or reader
    if reader is not None and not reader.text_bytes and reply.attempts[-1].outcome != "answered":
        return None
    if said is not None:
        return said.usage or estimate(bounds, said.text_bytes)
    if outcome == "cancelled" and reply.attempts and reply.attempts[-1].maybe_billed:
        return estimate(bounds, 0)
    return None


def charge_answer(
    record: Record, reply: Reply, usage: Usage | None, markup: Decimal, sold: bool
) -> None:
    """Write into `record` who answered, and what that costs; only us, if it was not `sold`."""
    record.attempts = reply.attempts
    record.usage = usage
    record.cost_nano = 0
    if (route := reply.route) is None:
        return
    record.model_id = route.model_id
    record.provider = route.endpoint.slug
    record.upstream_id = route.upstream_id
    if usage is not None:
        for name, value in booked(charge(route.price, usage, markup, record.at), usage).items():
            setattr(record, name, value)
    if not sold:
        record.cost_nano = 0


def charge_lost(record: Record, routes: Sequence[Route], bounds: Bounds) -> None:
    """Note on each attempt that failed, and may be billed, what its prompt costs us.

    What it answered, nobody knows. The one whose usage is the record's is in that already.
    """
    lost = record.attempts if record.usage is None else record.attempts[:-1]
    for attempt in lost:
        if attempt.maybe_billed and attempt.outcome != "answered":
            price = route_of(attempt, routes).price
            cost = charge(price, estimate(bounds, 0), UNMARKED, record.at)
            attempt.cost_nano = cost.provider_cost_nano if cost is not None else 0


def route_of(attempt: Attempt, routes: Sequence[Route]) -> Route:
    names = (attempt.provider, attempt.upstream_id, attempt.credential)
    return next(
        route
        for route in routes
        if (route.endpoint.slug, route.upstream_id, route.secret.id) == names
    )

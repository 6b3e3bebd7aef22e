"""The whole story of one request, told by the code that serves it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from catalog.asks import Ask
from catalog.resolver import resolve
from catalog.trace import Trace
from catalog.values import Snapshot
from providers.errors import GatewayError
from providers.values import Route

Priced = Callable[[Sequence[Route], Trace], Sequence[Route]]


def as_priced(routes: Sequence[Route], trace: Trace) -> Sequence[Route]:
    return routes


def explain(
    snapshot: Snapshot,
    ask: Ask,
    now: float,
    credentials: bool = True,
    priced: Priced = as_priced,
) -> dict[str, Any]:
    """Return the revision, every step, and the routes or the error that a request would get.

    credentials: whether to tell which of the operator's keys would be used. priced: what becomes
    of routes without a price; may raise as resolve does.
    """
    trace = Trace()
    routes: Sequence[Route] = ()
    error = None
    try:
        routes = priced(resolve(snapshot, ask, trace, now), trace)
    except GatewayError as problem:
        error = {"status": problem.status, "code": problem.code, "message": problem.message}
    return {
        "model": ask.model,
        "revision": snapshot.revision,
        "error": error,
        "routes": told(routes, credentials),
        "steps": [asdict(step) for step in trace.steps if credentials or step.rule != "route"],
    }


def told(routes: Sequence[Route], credentials: bool) -> list[dict[str, str]]:
    """Return the routes in order; without their credentials, each provider's only once."""
    rows = []
    for route in routes:
        row = {
            "provider": route.endpoint.slug,
            "model": route.model_id,
            "upstream_id": route.upstream_id,
            "price_source": route.price.source or "unknown",
        }
        if credentials:
            row["credential"] = route.secret.label
        if credentials or row not in rows:
            rows.append(row)
    return rows

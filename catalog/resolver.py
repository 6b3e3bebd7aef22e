"""From what was asked to the routes to try: pure, the same for a request and for `explain`."""

import time
from collections.abc import Iterable, Iterator

from catalog import exclusions
from catalog.asks import Ask, Preferences
from catalog.memory import Resolved
from catalog.naming import Reader, Target, offers_of
from catalog.ordering import ordered
from catalog.problems import Problem, refusal
from catalog.trace import SILENT, Trace
from catalog.values import Offer, Snapshot
from providers.errors import UnknownProvider
from providers.names import fold
from providers.rewriting import rewrite
from providers.values import FREE, Route


def resolve(
    snapshot: Snapshot,
    ask: Ask,
    trace: Trace = SILENT,
    now: float | None = None,
    hits: set[int] | None = None,
) -> tuple[Route, ...]:
    """Return the routes to try for `ask`, best first; every decision goes to `trace`.

    hits: an empty set, takes in the ids of the block rules that kept an offer out.
    Raises UnknownProvider, ModelNotFound, ModelNotAvailable, ModelNotAllowed or
    NoProviderAvailable; of a fallback list, the first name's.
    """
    now = time.time() if now is None else now
    known = snapshot.memory.find(ask, now) if trace is SILENT else None
    if known is None:
        known = decided(snapshot, ask, trace, now, set() if hits is None else hits)
        snapshot.memory.keep(ask, known)
    if hits is not None:
        hits |= known.hits
    return known.routes


def decided(snapshot: Snapshot, ask: Ask, trace: Trace, now: float, hits: set[int]) -> Resolved:
    """Resolve what nobody remembers."""
    wanted = canonical(snapshot, ask.preferences)
    scene = exclusions.Scene(snapshot, ask, wanted, now, hits)
    found = [routes_of(scene, name, trace) for name in dict.fromkeys((ask.model, *ask.models))]
    routes = [route for problem in found for route in problem.routes]
    if not routes:
        raise refusal(scene, found[0])
    kept = tuple(distinct(routes) if ask.models else routes)
    return Resolved.at(now, snapshot.blocks, kept, hits)


def distinct(routes: Iterable[Route]) -> Iterable[Route]:
    """Leave out what is there before: two names of a fallback list may mean one model."""
    first: dict[tuple[str, str, int], Route] = {}
    for route in routes:
        first.setdefault((route.endpoint.slug, route.upstream_id, route.secret.id), route)
    return first.values()


def canonical(snapshot: Snapshot, wanted: Preferences) -> Preferences:
    """Return the preferences with slugs in place of other names."""
    if not (wanted.only or wanted.order or wanted.ignore):
        return wanted

    def slugs(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(slug_of(snapshot, name) for name in names)

    return Preferences(
        slugs(wanted.only),
        slugs(wanted.order),
        slugs(wanted.ignore),
        wanted.allow_fallbacks,
        wanted.sort,
        wanted.max_price,
    )


def slug_of(snapshot: Snapshot, name: str) -> str:
    """Return the slug behind any name of a provider; raises UnknownProvider with the valid ones."""
    slug = snapshot.names.get(fold(name))
    if slug is None:
        valid = sorted(snapshot.endpoints)
        raise UnknownProvider(
            f"No provider is called {name[:80]!r}. Valid ones: {', '.join(valid)}.",
            param="provider",
            metadata={"valid": valid},
        )
    return slug


def routes_of(scene: exclusions.Scene, name: str, trace: Trace) -> Problem:
    """Return the routes for one name, or what stands in their way."""
    only = scene.wanted.only
    pin = only[0] if len(only) == 1 else None
    target = Reader(scene.snapshot, trace).find(name, pin)
    if target is None:
        return Problem(name)
    excluded: dict[Offer, str] = {}
    usable: list[Offer] = []
    for offer in offers_of(scene.snapshot, target):
        reason = exclusions.reason(scene, target, offer)
        trace.note("offer", f"{offer.model_id} at {offer.slug}", reason or "can serve")
        if offer.deprecated:
            trace.note("deprecation", f"{offer.model_id} at {offer.slug}", offer.notice)
        if reason:
            excluded[offer] = reason
        else:
            usable.append(offer)
    best = ordered(scene.snapshot, usable, scene.wanted, target.variant)
    if best and not (scene.wanted.allow_fallbacks or scene.wanted.order):
        trace.note("fallbacks", name, f"none is wanted beside {best[0].slug}")
        best = best[:1]
    routes = [route for offer in best for route in expand(scene, target, offer, name, trace)]
    return Problem(name, target, excluded, routes)


def expand(
    scene: exclusions.Scene, target: Target, offer: Offer, asked: str, trace: Trace
) -> Iterator[Route]:
    """Yield a route per credential of the offer's provider."""
    endpoint = scene.snapshot.endpoints[offer.slug]
    model = scene.snapshot.models.get(offer.model_id)
    context = offer.context_length or (model.context_length if model is not None else None)
    subject = f"{offer.upstream_id} at {offer.slug}"
    upstream_id = rewrite(
        endpoint.rewrites,
        offer.upstream_id,
        target.suffix,
        offer.backends,
        None if trace is SILENT else lambda rule, out: trace.note(f"rewrite {rule}", subject, out),
    )
    for secret in endpoint.secrets:
        trace.note("route", f"{upstream_id} at {offer.slug}", f"with credential {secret.label}")
        yield Route(
            endpoint,
            secret,
            offer.model_id,
            asked,
            upstream_id,
            offer.id,
            FREE if scene.ask.permissions.test else offer.price,
            target.suffix,
            context,
            offer.max_output_tokens,
        )

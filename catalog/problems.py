"""When no route is left: says why, what else there is, and where the list is."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog import exclusions
from catalog.naming import Reader, Target
from catalog.trace import SILENT
from catalog.values import Offer, Snapshot
from providers import errors
from providers.values import Route

LIST_ADDRESS = "/v1/models"
SUGGESTED = 3
LOOKED_AT = 24  # for three that may be suggested


@dataclass(frozen=True, slots=True)
class Problem:
    """What became of one name: its routes, or the offers that were excluded and why."""

    name: str
    target: Target | None = None
    excluded: dict[Offer, str] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)


def refusal(scene: exclusions.Scene, problem: Problem) -> errors.GatewayError:
    """Return the error that answers the request."""
    if problem.target is None:
        return not_found(scene, problem.name)
    reasons = list(problem.excluded.values())
    relevant = [reason for reason in reasons if " was asked for" not in reason]
    if relevant and all(reason.startswith(exclusions.NOT_ALLOWED) for reason in relevant):
        hint = " Test keys reach only the built-in echo." if scene.ask.permissions.test else ""
        return errors.ModelNotAllowed(
            f"This key may not use {problem.name!r}.{hint}", param="model"
        )
    if relevant and all(reason.startswith(exclusions.NO_CREDENTIAL) for reason in relevant):
        return errors.NoProviderAvailable(
            f"{problem.name!r} cannot be served now: {joined(relevant)}. Ask the operator."
        )
    return not_available(scene, problem, relevant)


def not_found(scene: exclusions.Scene, name: str) -> errors.ModelNotFound:
    shown = name if len(name) <= 100 else name[:100] + "…"
    near = visible(scene, near_to(scene.snapshot, name[:250]))[:SUGGESTED]
    hint = f" Did you mean {joined(near, ' or ')}?" if near else ""
    return errors.ModelNotFound(
        f"No model is called {shown!r}.{hint} The list is at {LIST_ADDRESS}.",
        param="model",
        metadata={"suggestions": near, "list": LIST_ADDRESS},
    )


def near_to(snapshot: Snapshot, name: str) -> list[str]:
    """Return the ids nearest to `name`, first what it means without its provider or suffix."""
    shorter = (name.rpartition(":")[0], name.partition("/")[2])
    meant = (Reader(snapshot, SILENT).find(part) for part in shorter if part)
    known = [target.model_id for target in meant if target is not None]
    return list(dict.fromkeys([*known, *snapshot.finder.nearest(name)]))[:LOOKED_AT]


def not_available(
    scene: exclusions.Scene, problem: Problem, reasons: list[str]
) -> errors.ModelNotAvailable:
    assert problem.target is not None
    where = problem.target.pin or joined(scene.wanted.only, " or ")
    alternatives = elsewhere(scene, problem.target)
    why = joined(dict.fromkeys(reasons)) or (
        f"{where} does not serve it" if where else "no provider serves it"
    )
    at = f" at {where}" if where else ""
    hint = f" It is served by {joined(alternatives)}." if alternatives else ""
    return errors.ModelNotAvailable(
        f"{problem.target.model_id!r} is known, but cannot be called{at}: {why}.{hint} "
        f"The list is at {LIST_ADDRESS}.",
        param="model",
        metadata={"reason": why, "alternatives": alternatives, "list": LIST_ADDRESS},
    )


def elsewhere(scene: exclusions.Scene, target: Target) -> list[str]:
    """Return the providers that would serve the model if the request did not pin another."""
    free = exclusions.Scene(scene.snapshot, scene.ask, exclusions.Preferences(), scene.now)
    loose = Target(target.model_id, suffix=target.suffix)
    offers = scene.snapshot.offers.get(target.model_id, ())
    return [offer.slug for offer in offers if not exclusions.reason(free, loose, offer)]


def visible(scene: exclusions.Scene, model_ids: Iterable[str]) -> list[str]:
    """Leave out what a suggestion must not give away or cannot keep."""
    free = exclusions.Scene(scene.snapshot, scene.ask, exclusions.Preferences(), scene.now)
    return [
        model_id
        for model_id in model_ids
        if (model := scene.snapshot.models.get(model_id)) is not None
        and not model.hidden
        and any(
            not exclusions.reason(free, Target(model_id), offer)
            for offer in scene.snapshot.offers.get(model_id, ())
        )
    ]


def joined(words: Iterable[str], last: str = ", ") -> str:
    return last.join(words)

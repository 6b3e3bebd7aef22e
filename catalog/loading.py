"""Reads the configuration into a snapshot: all of it, or the parts that changed."""

from collections.abc import Collection, Iterable

from catalog import revisions
from catalog.building import Pieces, assemble, tried
from catalog.evidence.models import OfferHealth
from catalog.models import (
    BlockRule,
    Model,
    ModelAlias,
    Offer,
    Variant,
)
from catalog.turns import ROWS, politely
from catalog.values import Offer as OfferValue
from catalog.values import Snapshot
from providers.models import Provider

TRIES = 20
MOST_MODELS = 500  # asked for by their names; of more, all are read


class Unsteady(RuntimeError):
    """The configuration kept changing while it was read."""


def load(old: Snapshot | None = None) -> Snapshot:
    """Return a snapshot of one revision, with what `old` has already taken over.

    Rows of two revisions never mix: if the number moved during the reading, the parts that
    changed meanwhile are read again, until it stands still.
    """
    draft = old
    for _ in range(TRIES):
        number = revisions.current()
        if draft is not None and number == draft.revision:
            return draft
        draft = taken_over(draft, number)
    if draft is not None and revisions.current() == draft.revision:
        return draft
    raise Unsteady("the configuration changed during each of the readings")


def taken_over(old: Snapshot | None, number: int) -> Snapshot:
    """Return `old` with what has changed up to `number` at least; parts of it may be newer."""
    parts = revisions.since(old.revision) if old is not None else None
    if old is None or parts is None:
        return assemble(Snapshot(), read_all(), number)
    pieces = read(parts | newcomers(parts, old))
    pieces.offers |= offers_of(left_behind(pieces, old))
    return assemble(old, pieces, number)


def newcomers(parts: Collection[str], old: Snapshot) -> set[str]:
    """A provider that `old` does not know brings its offers with it."""
    return {f"offers:{slug}" for slug in names("provider", parts) if slug not in old.endpoints}


def left_behind(pieces: Pieces, old: Snapshot) -> set[str]:
    """Return the providers whose offers carry an id that is gone: of a model renamed or deleted."""
    gone = {name for name, model in pieces.some_models.items() if model is None}
    if pieces.models is not None:
        gone |= old.offers.keys() - pieces.models.keys()
    slugs = {offer.slug for name in gone for offer in old.offers.get(name, ())}
    return slugs - pieces.offers.keys()


def names(kind: str, parts: Iterable[str]) -> list[str]:
    """Return what parts of one kind are of."""
    return [part[len(kind) + 1 :] for part in parts if part.startswith(f"{kind}:")]


def read_all() -> Pieces:
    slugs = list(Provider.objects.values_list("slug", flat=True))
    parts = {f"{kind}:{slug}" for kind in ("provider", "offers") for slug in slugs}
    return read(parts | {"models", "aliases", "variants", "blocks"})


def read(parts: Collection[str]) -> Pieces:
    """Read what `parts` name; parts of other layers are not ours and cost nothing."""
    pieces = Pieces()
    providers, offers, models = (names(kind, parts) for kind in ("provider", "offers", "model"))
    experience = set(names("experience", parts)).difference(offers)
    if providers:
        pieces.endpoints = endpoints(providers)
    if offers:
        pieces.offers = offers_of(offers)
    if experience:
        pieces.experience = OfferHealth.objects.told(experience)
    if "models" in parts or len(models) > MOST_MODELS:
        rows = politely(Model.objects.iterator(chunk_size=ROWS))
        pieces.models = {row.model_id: row.value_of() for row in rows}
    elif models:
        found = {row.model_id: row.value_of() for row in Model.objects.filter(model_id__in=models)}
        pieces.some_models = {name: found.get(name) for name in models}
    if "aliases" in parts:
        pieces.aliases = dict(ModelAlias.objects.values_list("alias", "target"))
    if "variants" in parts:
        pieces.variants = {row.name: row.value_of() for row in Variant.objects.all()}
    if "blocks" in parts:
        blocks = BlockRule.objects.filter(enabled=True).select_related("provider")
        pieces.blocks = tuple(row.value_of() for row in blocks)
    return pieces


def endpoints(slugs: Collection[str]) -> dict:
    """Return each provider's endpoint with its aliases; None for one that is gone."""
    rows = Provider.objects.filter(slug__in=slugs).prefetch_related(
        "aliases", "credentials", "rewrites"
    )
    found = {row.slug: (row.endpoint(), tuple(a.alias for a in row.aliases.all())) for row in rows}
    return {slug: found.get(slug) for slug in slugs}


def offers_of(slugs: Collection[str]) -> dict[str, tuple[OfferValue, ...]]:
    """Return the offers by slug; those that a provider no longer lists stay away."""
    if not slugs:
        return {}
    found: dict[str, list[OfferValue]] = {slug: [] for slug in slugs}
    rows = Offer.objects.alive().filter(provider__slug__in=slugs).order_by("pk")
    for offer in rows.values_of():
        found[offer.slug].append(offer)
    told = OfferHealth.objects.told(slugs)
    return {
        slug: tuple(tried(offer, told[slug]) for offer in politely(offers))
        for slug, offers in found.items()
    }

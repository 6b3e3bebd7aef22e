"""Puts a snapshot together from its parts; what did not change is taken over, not made again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from catalog.search import Finder
from catalog.turns import politely
from catalog.values import Block, Experience, Model, Offer, Snapshot, Variant
from providers.names import fold
from providers.values import Endpoint

NOTHING = Experience()
Value = TypeVar("Value")


@dataclass(slots=True)
class Pieces:
    """What was read anew. None, or a slug that is absent: unchanged; a slug with None: gone.

    models: all of them. some_models: those that were asked for, by id; None: gone.
    """

    endpoints: dict[str, "tuple[Endpoint, tuple[str, ...]] | None"] = field(default_factory=dict)
    offers: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    models: dict[str, Model] | None = None
    aliases: dict[str, str] | None = None
    variants: dict[str, Variant] | None = None
    blocks: tuple[Block, ...] | None = None
    experience: dict[str, dict[int, Experience]] = field(default_factory=dict)
    some_models: dict[str, Model | None] = field(default_factory=dict)


def assemble(old: Snapshot, pieces: Pieces, revision: int) -> Snapshot:
    """Return the snapshot of `revision`: `old` with `pieces` in place of what they stand for."""
    new = replace(old, revision=revision)
    if pieces.endpoints:
        new = with_endpoints(new, pieces.endpoints)
    gone = {slug: () for slug, piece in pieces.endpoints.items() if piece is None}
    if pieces.offers or gone:
        new = with_offers(new, {**pieces.offers, **gone})
    if pieces.experience:
        new = with_experience(new, pieces.experience)
    if pieces.models is not None or pieces.some_models:
        new = with_models(new, models_of(old.models, pieces))
    if pieces.aliases is not None:
        folded = respelled(new.folded, old.aliases, pieces.aliases)
        new = replace(new, aliases=pieces.aliases, folded=folded)
    if pieces.variants is not None:
        new = replace(new, variants=pieces.variants)
    if pieces.blocks is not None or gone:
        blocks = new.blocks if pieces.blocks is None else pieces.blocks
        new = replace(new, blocks=tuple(block for block in blocks if block.slug not in gone))
    return new


def with_endpoints(
    old: Snapshot, pieces: Mapping[str, "tuple[Endpoint, tuple[str, ...]] | None"]
) -> Snapshot:
    endpoints = {slug: end for slug, end in old.endpoints.items() if slug not in pieces}
    names = {name: slug for name, slug in old.names.items() if slug not in pieces}
    for slug, piece in pieces.items():
        if piece is not None:
            endpoint, aliases = piece
            endpoints[slug] = endpoint
            names.update({fold(name): slug for name in (slug, *aliases)})
    return replace(old, endpoints=endpoints, names=names)


def models_of(old: Mapping[str, Model], pieces: Pieces) -> dict[str, Model]:
    """Return all models as they are now; one that says the same is the same object."""
    if pieces.models is not None:
        return {name: kept(model, old.get(name)) for name, model in politely(pieces.models.items())}
    models = dict(old)
    for name, model in pieces.some_models.items():
        if model is None:
            models.pop(name, None)
        else:
            models[name] = kept(model, old.get(name))
    return models


def kept(fresh: Value, old: Value | None) -> Value:
    """Return the old one if it says the same.

    What is made of it can be taken over then, and an old snapshot leaves little to free when it
    goes: 50,000 objects at once would hold up requests for 12 ms.
    """
    return old if old is not None and old == fresh else fresh


def with_models(old: Snapshot, models: Mapping[str, Model]) -> Snapshot:
    folded = respelled(old.folded, old.models, models)
    return replace(old, models=models, folded=folded, finder=Finder(models, old.finder))


def with_offers(old: Snapshot, pieces: Mapping[str, tuple[Offer, ...]]) -> Snapshot:
    """Replace the offers of the providers in `pieces`, leaving every other model's tuple alone."""
    offers = dict(old.offers)
    offered = {slug: ids for slug, ids in old.offered.items() if slug not in pieces}
    upstream_ids = {slug: ids for slug, ids in old.upstream_ids.items() if slug not in pieces}
    fresh: dict[str, list[Offer]] = {}
    for slug, rows in pieces.items():
        for model_id in old.offered.get(slug, ()):
            fresh.setdefault(model_id, [])
        for offer in politely(rows):
            fresh.setdefault(offer.model_id, []).append(offer)
        if rows:
            offered[slug] = tuple(offer.model_id for offer in rows)
            upstream_ids[slug] = {offer.upstream_id: offer.model_id for offer in rows}
    for model_id, ours in politely(fresh.items()):
        before = old.offers.get(model_id, ())
        known = {offer.id: offer for offer in before}
        rest = [offer for offer in before if offer.slug not in pieces]
        ours = [kept(offer, known.get(offer.id)) for offer in ours]
        now = tuple(sorted((*rest, *ours), key=lambda offer: offer.slug))
        if not now:
            offers.pop(model_id, None)
        elif now != before:
            offers[model_id] = now
    return replace(old, offers=offers, offered=offered, upstream_ids=upstream_ids)


def with_experience(old: Snapshot, pieces: Mapping[str, Mapping[int, Experience]]) -> Snapshot:
    """Give the offers of the providers in `pieces` what is known of them now; no list is read."""
    offers = dict(old.offers)
    for slug, told in pieces.items():
        for model_id in politely(old.offered.get(slug, ())):
            rows = offers[model_id]
            fresh = tuple(tried(o, told) if o.slug == slug else o for o in rows)
            if any(one is not other for one, other in zip(fresh, rows, strict=True)):
                offers[model_id] = fresh
    return replace(old, offers=offers)


def tried(offer: Offer, told: Mapping[int, Experience]) -> Offer:
    """Return the offer with what experience says of it; itself if that is what it says already."""
    known = told.get(offer.id, NOTHING)
    return offer if offer.experience == known else replace(offer, **known._asdict())


def respelled(
    folded: Mapping[str, tuple[str, ...]], before: Iterable[str], now: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return every spelling of each name, by its case-folded form, where some names became others.

    It is what it was where no name came or went: most edits rename nothing.
    """
    gone, come = set(before).difference(now), set(now).difference(before)
    if not gone and not come:
        return folded
    found = dict(folded)
    for name in gone:
        rest = list(found.pop(name.casefold()))
        rest.remove(name)
        if rest:
            found[name.casefold()] = tuple(rest)
    for name in come:
        found[name.casefold()] = (*found.get(name.casefold(), ()), name)
    return found

"""Puts a snapshot together from its parts; what did not change is taken over, not made again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from catalog.search import Finder
from catalog.values import Block, Experience, Model, Offer, Snapshot, Variant
from providers.names import fold
from providers.values import Endpoint

NOTHING = Experience()


@dataclass(slots=True)
class Pieces:
    """What was read anew. None, or a slug that is absent: unchanged; a slug with None: gone."""

    endpoints: dict[str, "tuple[Endpoint, tuple[str, ...]] | None"] = field(default_factory=dict)
    offers: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    models: dict[str, Model] | None = None
    aliases: dict[str, str] | None = None
    variants: dict[str, Variant] | None = None
    blocks: tuple[Block, ...] | None = None
    experience: dict[str, dict[int, Experience]] = field(default_factory=dict)


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
    if pieces.models is not None or pieces.aliases is not None:
        models = new.models if pieces.models is None else pieces.models
        aliases = new.aliases if pieces.aliases is None else pieces.aliases
        new = replace(new, models=models, aliases=aliases, folded=spellings(models, aliases))
    if pieces.models is not None:
        new = replace(new, finder=Finder(pieces.models, old.finder))
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


def with_offers(old: Snapshot, pieces: Mapping[str, tuple[Offer, ...]]) -> Snapshot:
    """Replace the offers of the providers in `pieces`, leaving every other model's tuple alone."""
    offers = dict(old.offers)
    offered = {slug: ids for slug, ids in old.offered.items() if slug not in pieces}
    upstream_ids = {slug: ids for slug, ids in old.upstream_ids.items() if slug not in pieces}
    touched: dict[str, list[Offer]] = {}
    for slug in pieces:
        for model_id in old.offered.get(slug, ()):
            if model_id not in touched:
                kept = offers.get(model_id, ())
                touched[model_id] = [offer for offer in kept if offer.slug not in pieces]
    for slug, fresh in pieces.items():
        if not fresh:
            continue
        offered[slug] = tuple(offer.model_id for offer in fresh)
        upstream_ids[slug] = {offer.upstream_id: offer.model_id for offer in fresh}
        for offer in fresh:
            if offer.model_id not in touched:
                kept = offers.get(offer.model_id, ())
                touched[offer.model_id] = [o for o in kept if o.slug not in pieces]
            touched[offer.model_id].append(offer)
    for model_id, rows in touched.items():
        if rows:
            offers[model_id] = tuple(sorted(rows, key=lambda offer: offer.slug))
        else:
            offers.pop(model_id, None)
    return replace(old, offers=offers, offered=offered, upstream_ids=upstream_ids)


def with_experience(old: Snapshot, pieces: Mapping[str, Mapping[int, Experience]]) -> Snapshot:
    """Give the offers of the providers in `pieces` what is known of them now; no list is read."""
    offers = dict(old.offers)
    for slug, told in pieces.items():
        for model_id in old.offered.get(slug, ()):
            rows = offers[model_id]
            fresh = tuple(tried(o, told) if o.slug == slug else o for o in rows)
            if any(one is not other for one, other in zip(fresh, rows, strict=True)):
                offers[model_id] = fresh
    return replace(old, offers=offers)


def tried(offer: Offer, told: Mapping[int, Experience]) -> Offer:
    """Return the offer with what experience says of it; itself if that is what it says already."""
    known = told.get(offer.id, NOTHING)
    return offer if offer.experience == known else replace(offer, **known._asdict())


def spellings(*tables: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return every spelling of each name, by its case-folded form."""
    found: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for name in table:
            key = name.casefold()
            found[key] = (*found.get(key, ()), name)
    return found

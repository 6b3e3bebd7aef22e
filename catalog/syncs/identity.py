"""Which model a newly listed id is: by explicit identity, never by likeness. Pure.

In order: an admin's mapping; our own id, letter by letter; the Hugging Face id; the canonical slug.
Otherwise the id becomes a model of its own. A provider has one offer of a model, so a second id of
it with the same Hugging Face id or slug (`…:free`) becomes a model of its own too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.syncs.facts import Identity

MOST_ID = 250


@dataclass(slots=True)
class Book:
    """What names mean today. offered: ids of the models that this provider offers already."""

    model_ids: set[str]
    hugging_face: dict[str, str] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    aliases: frozenset[str] = frozenset()
    mappings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The model of a listed id. known_as: the Hugging Face id that a new model is given."""

    model_id: str
    new: bool = False
    known_as: str = ""


def place(slug: str, rows: Iterable[tuple[str, Identity]], book: Book) -> dict[str, Place | None]:
    """Return each id's model, whatever order they came in; None where no name is left for one."""
    places: dict[str, Place | None] = {}
    later: list[tuple[str, Identity]] = []
    for upstream_id, identity in sorted(rows, key=lambda row: row[0]):
        sure = book.mappings.get(upstream_id, upstream_id)
        if free(sure, book) and sure in book.model_ids:
            places[upstream_id] = taken(Place(sure), book)
        else:
            later.append((upstream_id, identity))
    for upstream_id, identity in later:
        found = known_by(identity, book) or own(slug, upstream_id, identity, book)
        places[upstream_id] = found and taken(found, book)
    return places


def known_by(identity: Identity, book: Book) -> Place | None:
    hugging_face_id = identity.hugging_face_id
    repository = hugging_face_id if hugging_face_id in book.model_ids else ""
    for model_id in (
        repository or book.hugging_face.get(hugging_face_id, ""),
        identity.canonical_slug,
    ):
        if model_id in book.model_ids and free(model_id, book):
            return Place(model_id)
    return None


def own(slug: str, upstream_id: str, identity: Identity, book: Book) -> Place | None:
    """Name a model of its own: the id as listed if it has an organisation, else the provider's."""
    candidates = [upstream_id] if "/" in upstream_id else []
    for model_id in (*candidates, f"{slug}/{upstream_id}"):
        if len(model_id) <= MOST_ID and free(model_id, book) and model_id not in book.aliases:
            known_as = identity.hugging_face_id
            if known_as in book.hugging_face or known_as in book.model_ids:
                known_as = ""  # another model has it
            return Place(model_id, model_id not in book.model_ids, known_as)
    return None


def free(model_id: str, book: Book) -> bool:
    return model_id not in book.offered


def taken(found: Place, book: Book) -> Place:
    book.model_ids.add(found.model_id)
    book.offered.add(found.model_id)
    if found.known_as:
        book.hugging_face[found.known_as] = found.model_id
    return found

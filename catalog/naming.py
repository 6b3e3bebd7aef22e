"""Finds what a name means: READINGS are tried in order, and the first that fits wins."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from catalog.trace import Trace
from catalog.values import Offer, Snapshot, Variant
from providers.names import fold

DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Target:
    """A name understood. `pin`: the provider that the name demands; `suffix`: the client's own,
    with its colon, for the provider to read; `unlisted`: the catalogue does not know the id."""

    model_id: str
    pin: str | None = None
    suffix: str = ""
    variant: Variant | None = None
    unlisted: bool = False

    def __str__(self) -> str:
        where = f" at {self.pin}" if self.pin else ""
        how = f", variant :{self.variant.name}" if self.variant else ""
        what = f", suffix {self.suffix}" if self.suffix else ""
        return f"{self.model_id}{where}{how}{what}{', not listed' if self.unlisted else ''}"


@dataclass(frozen=True, slots=True)
class Reader:
    """What the readings share: the snapshot, the provider pinned so far, and how deep we are.

    known: what names mean, by their pin too, so that a long name is not read many times over;
    one that is being read means nothing, so that a loop of aliases ends.
    """

    snapshot: Snapshot
    trace: Trace
    pin: str | None = None
    depth: int = 0
    known: dict[tuple[str, str | None], Target | None] = field(default_factory=dict)

    def find(self, name: str, pin: str | None = None) -> Target | None:
        """Return what `name` means, at `pin` if given; None if nothing fits."""
        asked = name, pin or self.pin
        if asked in self.known:
            return self.known[asked]
        self.known[asked] = None
        if self.depth >= DEEPEST:
            self.trace.note("name", name, "too many names inside each other, given up")
            return None
        inner = Reader(self.snapshot, self.trace, asked[1], self.depth + 1, self.known)
        for title, reading in READINGS:
            target = reading(inner, name)
            self.trace.note(title, name, "no" if target is None else str(target))
            if target is not None:
                self.known[asked] = target
                return target
        return None


def by_id(reader: Reader, name: str) -> Target | None:
    return Target(name, reader.pin) if name in reader.snapshot.models else None


def by_alias(reader: Reader, name: str) -> Target | None:
    target = reader.snapshot.aliases.get(name)
    return reader.find(target) if target is not None else None


def by_upstream_id(reader: Reader, name: str) -> Target | None:
    """A provider's own id names its model: at a pinned one any, else `org/…` if all agree on it."""
    tables = reader.snapshot.upstream_ids
    if reader.pin is not None:
        model_id = tables.get(reader.pin, {}).get(name)
        return Target(model_id, reader.pin) if model_id is not None else None
    if "/" not in name:
        return None
    found = {table[name] for table in tables.values() if name in table}
    return Target(found.pop()) if len(found) == 1 else None


def by_variant(reader: Reader, name: str) -> Target | None:
    base, colon, suffix = name.rpartition(":")
    variant = reader.snapshot.variants.get(suffix.lower()) if colon else None
    target = reader.find(base) if variant is not None and base else None
    return target and replace(target, variant=target.variant or variant)


def by_suffix(reader: Reader, name: str) -> Target | None:
    """`model:suffix` where an offer's provider reads that suffix itself."""
    base, colon, suffix = name.rpartition(":")
    if not (base and colon and suffix):
        return None
    target = reader.find(base)
    if target is None or target.suffix:
        return None
    slugs = (offer.slug for offer in offers_of(reader.snapshot, target))
    if not any(passes(reader.snapshot, slug, f":{suffix}") for slug in slugs):
        return None
    return replace(target, suffix=f":{suffix}")


def by_provider(reader: Reader, name: str) -> Target | None:
    """`provider/model`, by any of the provider's names."""
    target = prefixed(reader, name)
    return target if target is not None and serves(reader.snapshot, target) else None


def prefixed(reader: Reader, name: str) -> Target | None:
    """Read `name` as a provider's and a model's, whether that provider serves it or not."""
    head, slash, rest = name.partition("/")
    slug = reader.snapshot.names.get(fold(head)) if slash and rest else None
    if slug is None or reader.pin not in (None, slug):
        return None
    return reader.find(rest, slug)


def by_case(reader: Reader, name: str) -> Target | None:
    """Letter case is forgiven where every spelling that there is means the same."""
    spellings = reader.snapshot.folded.get(name.casefold(), ())
    if name in spellings:
        return None
    found = {reader.find(spelling) for spelling in spellings}
    return found.pop() if len(found) == 1 else None


def unlisted(reader: Reader, name: str) -> Target | None:
    """A pinned provider that takes ids which the catalogue does not know.

    Where it has suffixes of its own, a model that it serves with another suffix is a mistake.
    """
    endpoint = reader.snapshot.endpoints.get(reader.pin or "")
    if endpoint is None or not endpoint.allow_unlisted or name in reader.snapshot.aliases:
        return None
    base = name.rpartition(":")[0] if endpoint.passes_suffixes else ""
    known = reader.find(base) if base else None
    if known is not None and not known.unlisted and serves(reader.snapshot, known):
        return None
    return Target(name, reader.pin, unlisted=True)


READINGS: tuple[tuple[str, Callable[[Reader, str], Target | None]], ...] = (
    ("model id", by_id),
    ("model alias", by_alias),
    ("provider's own id", by_upstream_id),
    ("variant", by_variant),
    ("upstream suffix", by_suffix),
    ("provider prefix", by_provider),
    ("letter case", by_case),
    ("unlisted id", unlisted),
    ("provider that does not serve it", prefixed),
)


def offers_of(snapshot: Snapshot, target: Target) -> tuple[Offer, ...]:
    """Return the target's offers, at every provider; of an unlisted id the one that it names."""
    if target.unlisted:
        return (Offer(0, target.model_id, target.pin or "", target.model_id),)
    return snapshot.offers.get(target.model_id, ())


def passes(snapshot: Snapshot, slug: str, suffix: str) -> bool:
    """Whether the provider reads `suffix` (with its colon) itself."""
    endpoint = snapshot.endpoints.get(slug)
    if endpoint is None:
        return False
    return "*" in endpoint.passes_suffixes or suffix[1:] in endpoint.passes_suffixes


def serves(snapshot: Snapshot, target: Target) -> bool:
    """Whether the pinned provider has an offer of the target."""
    return any(offer.slug == target.pin for offer in offers_of(snapshot, target))

"""Finds what a name means: READINGS are tried in order, and the first that fits wins."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from catalog.trace import Trace
from catalog.values import Offer, Snapshot, Variant
from providers.names import fold

DEEPEST = 5


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
    """What the readings share: the snapshot, the provider pinned so far, and how deep we are."""

    snapshot: Snapshot
    trace: Trace
    pin: str | None = None
    depth: int = 0

    def find(self, name: str, pin: str | None = None) -> Target | None:
        """Return what `name` means, at `pin` if given; None if nothing fits."""
        if self.depth >= DEEPEST:
            self.trace.note("name", name, "aliases point at each other, given up")
            return None
        inner = Reader(self.snapshot, self.trace, pin or self.pin, self.depth + 1)
        for title, reading in READINGS:
            target = reading(inner, name)
            if target is not None:
                self.trace.note(title, name, str(target))
                return target
            self.trace.note(title, name, "no")
        return None


def by_id(reader: Reader, name: str) -> Target | None:
    return Target(name, reader.pin) if name in reader.snapshot.models else None


def by_alias(reader: Reader, name: str) -> Target | None:
    target = reader.snapshot.aliases.get(name)
    return reader.find(target) if target is not None else None


def by_upstream_id(reader: Reader, name: str) -> Target | None:
    """A pinned provider's own id for a model names that model."""
    model_id = reader.snapshot.upstream_ids.get(reader.pin or "", {}).get(name)
    return Target(model_id, reader.pin) if model_id is not None else None


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
    if target is None or target.suffix or target.unlisted:
        return None
    offers = reader.snapshot.offers.get(target.model_id, ())
    if not any(passes(reader.snapshot, offer, f":{suffix}") for offer in offers):
        return None
    return replace(target, suffix=f":{suffix}")


def by_provider(reader: Reader, name: str) -> Target | None:
    """`provider/model`, by any of the provider's names."""
    head, slash, rest = name.partition("/")
    slug = reader.snapshot.names.get(fold(head)) if slash and rest else None
    if slug is None or reader.pin not in (None, slug):
        return None
    target = reader.find(rest, slug)
    return target if target is not None and serves(reader.snapshot, target, slug) else None


def by_case(reader: Reader, name: str) -> Target | None:
    """Letter case is forgiven where just one spelling exists."""
    spellings = reader.snapshot.folded.get(name.casefold(), ())
    if len(spellings) != 1 or spellings[0] == name:
        return None
    return reader.find(spellings[0])


def unlisted(reader: Reader, name: str) -> Target | None:
    """A pinned provider that takes ids which the catalogue does not know."""
    endpoint = reader.snapshot.endpoints.get(reader.pin or "")
    if endpoint is None or not endpoint.allow_unlisted:
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
)


def passes(snapshot: Snapshot, offer: Offer, suffix: str) -> bool:
    """Whether the offer's provider reads `suffix` (with its colon) itself."""
    endpoint = snapshot.endpoints.get(offer.slug)
    if endpoint is None:
        return False
    return "*" in endpoint.passes_suffixes or suffix[1:] in endpoint.passes_suffixes


def serves(snapshot: Snapshot, target: Target, slug: str) -> bool:
    """Whether `slug` has an offer of the target, so that `slug/…` can mean it."""
    if target.unlisted:
        return True
    return any(offer.slug == slug for offer in snapshot.offers.get(target.model_id, ()))

"""What can be asked for, as the data plane sees it: frozen values, no Django, no I/O."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from catalog.memory import Memory
from catalog.search import Finder
from providers.values import Endpoint, Price

UNPRICED = Price()
SHARED = 4096
HALF_OPEN_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Model:
    """What a client may ask for, by its canonical id; case is kept."""

    id: str
    name: str = ""
    capabilities: frozenset[str] = frozenset({"chat"})
    context_length: int | None = None
    created: int = 0
    description: str = ""
    hidden: bool = False
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    hugging_face_id: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at a provider. `capabilities` is empty where the model's own hold.

    down: why evidence keeps it out, or "". uptime: its rate of success over a day, from 0 to 1.
    """

    id: int
    model_id: str
    slug: str
    upstream_id: str
    backends: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    price: Price = UNPRICED
    context_length: int | None = None
    enabled: bool = True
    latency_ms: int | None = None
    throughput_tps: float | None = None
    max_output_tokens: int | None = None
    supported_parameters: tuple[str, ...] = ()
    deprecated: bool = False
    deprecated_at: str | None = None
    replaced_by: str = ""
    down: str = ""
    uptime: float | None = None

    @property
    def notice(self) -> str:
        """Say that it will end, when, and what comes in its place; or return the empty string."""
        if not self.deprecated:
            return ""
        when = f", ends {self.deprecated_at}" if self.deprecated_at else ""
        what = f", replaced by {self.replaced_by}" if self.replaced_by else ""
        return f"deprecated{when}{what}"

    @property
    def experience(self) -> "Experience":
        return Experience(self.down, self.uptime, self.latency_ms, self.throughput_tps)


class Experience(NamedTuple):
    """What requests and probes showed of an offer; it changes more often than the rest."""

    down: str = ""
    uptime: float | None = None
    latency_ms: int | None = None
    throughput_tps: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A client-side suffix that an admin defined."""

    name: str
    order_by: str


@dataclass(frozen=True, slots=True)
class Block:
    """A pattern that hides and refuses models, at one provider (`slug`) or at all.

    An expired one is half-open: it holds until a probe decides, at most for HALF_OPEN_S.
    """

    id: int
    pattern: str
    slug: str | None
    reason: str
    expires_at: float | None = None
    regex: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", re.compile(translate(self.pattern), re.IGNORECASE))

    def is_current(self, now: float) -> bool:
        return self.expires_at is None or self.expires_at > now

    def in_force(self, now: float) -> bool:
        return self.expires_at is None or self.expires_at + HALF_OPEN_S > now

    def turns_at(self) -> tuple[float, ...]:
        """Return the moments at which it comes to mean something else without being edited."""
        at = self.expires_at
        return () if at is None else (at, at + HALF_OPEN_S)

    def matches(self, offer: Offer) -> bool:
        if self.slug is not None and self.slug != offer.slug:
            return False
        return bool(self.regex.match(offer.model_id) or self.regex.match(offer.upstream_id))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the configuration, whole and unchanging.

    names: folded slug or alias to slug. offers: by model id, in the order of their slugs.
    offered: by slug, the ids of its models. upstream_ids: by slug, the provider's own id to the
    model's. folded: case-folded model ids and aliases to every spelling that there is. finder:
    searches the models. memory: what was resolved of it; a copy begins with none.
    """

    revision: int = 0
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    offers: Mapping[str, tuple[Offer, ...]] = field(default_factory=dict)
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    upstream_ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    folded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    finder: Finder = field(default_factory=lambda: Finder({}), compare=False, repr=False)
    memory: Memory = field(default_factory=Memory, init=False, compare=False, repr=False)


def shared(items: Iterable[str]) -> tuple[str, ...]:
    """Return the items as a tuple that all equal ones share: thousands of rows say the same."""
    return _shared(tuple(items))


def shared_set(items: Iterable[str]) -> frozenset[str]:
    return _shared_set(tuple(items))


@lru_cache(SHARED)
def _shared(items: tuple[str, ...]) -> tuple[str, ...]:
    return items


@lru_cache(SHARED)
def _shared_set(items: tuple[str, ...]) -> frozenset[str]:
    return frozenset(items)

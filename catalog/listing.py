"""What can be asked for, as rows of OpenAI's shape with OpenRouter's beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from msgspec import UNSET, Struct, UnsetType

from catalog import exclusions
from catalog.asks import ANY, Ask, Permissions
from catalog.naming import Target
from catalog.pricing import Pricing, pricing
from catalog.turns import politely
from catalog.values import Model, Offer, Snapshot
from catalog.words import in_order

MADE = {"images": "image", "audio": "audio", "embeddings": "embeddings", "rerank": "rerank"}


class Architecture(Struct):
    modality: str
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    tokenizer: str | None = None
    instruct_type: str | None = None


class TopProvider(Struct):
    context_length: int | None
    max_completion_tokens: int | None
    is_moderated: bool | None = None


class Row(Struct):
    """A model in a list: OpenAI's four fields, OpenRouter's, and ours at the end."""

    id: str
    created: int
    owned_by: str
    canonical_slug: str
    name: str
    description: str
    hugging_face_id: str | None
    context_length: int | None
    architecture: Architecture
    pricing: Pricing
    top_provider: TopProvider
    supported_parameters: tuple[str, ...]
    expiration_date: str | None
    capabilities: list[str]
    provider_slug: str
    provider_site_url: str | None
    source_gateway: str
    gateways: list[str]
    price_source: str | None
    object: str = "model"
    per_request_limits: None = None
    deprecated: bool | UnsetType = UNSET
    replaced_by: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row is made of: a model and the offers of it that can be used, best first."""

    model: Model
    offers: tuple[Offer, ...]
    site_url: str

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset().union(*(abilities(offer, self.model) for offer in self.offers))

    def row(self) -> Row:
        model, first = self.model, self.offers[0]
        context = first.context_length or model.context_length
        return Row(
            id=model.id,
            created=model.created,
            owned_by=model.id.partition("/")[0] if "/" in model.id else first.slug,
            canonical_slug=model.id,
            name=model.name or model.id,
            description=model.description,
            hugging_face_id=model.hugging_face_id or None,
            context_length=context,
            architecture=architecture(model),
            pricing=pricing(first.price),
            top_provider=TopProvider(context, first.max_output_tokens),
            supported_parameters=first.supported_parameters,
            expiration_date=first.deprecated_at,
            capabilities=sorted(self.capabilities),
            provider_slug=first.slug,
            provider_site_url=self.site_url or None,
            source_gateway=first.slug,
            gateways=[offer.slug for offer in self.offers],
            price_source=first.price.source or None,
            deprecated=first.deprecated or UNSET,
            replaced_by=first.replaced_by or UNSET,
        )


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, when, and at which provider if at one."""

    snapshot: Snapshot
    permissions: Permissions
    slug: str | None
    now: float

    def entries(self) -> Iterator[Entry]:
        """Yield what is listed, in the order of ids; in short turns."""
        for model_id in self.ids():
            entry = self.listed(model_id)
            if entry is not None:
                yield entry

    def ids(self) -> Iterator[str]:
        """Yield the models that may be listed, in order."""
        snapshot = self.snapshot
        ids = snapshot.models if self.slug is None else snapshot.offered.get(self.slug, ())
        return politely(in_order(ids))

    def listed(self, model_id: str) -> Entry | None:
        """Return the entry of a model; None if there is no such model, or none in lists."""
        model = self.snapshot.models.get(model_id)
        return None if model is None or model.hidden else self.entry(model)

    def entry(self, model: Model) -> Entry | None:
        """Return the model's entry; None if no offer of it can be used."""
        offers = [o for o in self.snapshot.offers.get(model.id, ()) if not self.reason(model, o)]
        if not offers:
            return None
        ends = self.snapshot.endpoints
        if len(offers) > 1:
            offers.sort(key=lambda offer: (ends[offer.slug].priority, offer.slug))
        return Entry(model, tuple(offers), ends[offers[0].slug].site_url)

    def is_like(self, other: "View") -> bool:
        """Whether entries differ only where models or offers do."""
        one, two = self.snapshot, other.snapshot
        same = one.endpoints is two.endpoints and one.blocks is two.blocks
        return same and (self.slug, self.permissions) == (other.slug, other.permissions)

    def says_the_same(self, other: "View", model_id: str) -> bool:
        one, two = self.snapshot, other.snapshot
        same = one.models.get(model_id) is two.models.get(model_id)
        return same and one.offers.get(model_id) is two.offers.get(model_id)

    def reason(self, model: Model, offer: Offer) -> str:
        """Say why no request could use the offer, or return the empty string."""
        if self.slug is not None and offer.slug != self.slug:
            return f"only {self.slug} is looked at"
        kind = next(iter(abilities(offer, model)), "chat")
        ask = Ask(model.id, endpoint=kind, permissions=self.permissions)
        scene = exclusions.Scene(self.snapshot, ask, ANY, self.now)
        return exclusions.reason(scene, Target(model.id, self.slug), offer)


def abilities(offer: Offer, model: Model) -> frozenset[str]:
    return offer.capabilities or model.capabilities


def architecture(model: Model) -> Architecture:
    return described(model.input_modalities, model.output_modalities, model.capabilities)


@lru_cache(4096)
def described(
    inputs: tuple[str, ...], outputs: tuple[str, ...], capabilities: frozenset[str]
) -> Architecture:
    """Return what was said of a model, or what follows from what it can do."""
    made = sorted({MADE.get(can, "text") for can in capabilities}) or ["text"]
    inputs, outputs = inputs or ("text",), outputs or tuple(made)
    return Architecture(f"{'+'.join(inputs)}->{'+'.join(outputs)}", inputs, outputs)

"""One model's offers, in the shape in which OpenRouter shows a model's endpoints."""

from msgspec import Struct

from catalog import exclusions
from catalog.listing import Architecture, View, architecture
from catalog.pricing import Pricing, pricing
from catalog.values import Model, Offer
from providers.values import Endpoint

SERVES, DOES_NOT = 0, -10
UNSAID = (exclusions.NOT_ALLOWED, "only ", "the provider ")  # who asks need not know of these


class Middle(Struct):
    p50: float


class OfferRow(Struct):
    """status: 0 serves, -10 does not, then `reason` says why. uptime: per cent of requests.

    latency in milliseconds, throughput in tokens per second. What nobody knows is null.
    """

    name: str
    model_id: str
    model_name: str
    provider_name: str
    provider_slug: str
    tag: str
    upstream_id: str
    context_length: int | None
    max_completion_tokens: int | None
    pricing: Pricing
    price_source: str | None
    supported_parameters: tuple[str, ...]
    capabilities: list[str]
    status: int
    reason: str | None
    uptime_last_1d: float | None
    latency_last_30m: Middle | None
    throughput_last_30m: Middle | None
    deprecated: bool
    expiration_date: str | None
    replaced_by: str | None
    max_prompt_tokens: int | None = None
    quantization: str | None = None
    supports_implicit_caching: bool | None = None
    uptime_last_5m: float | None = None
    uptime_last_30m: float | None = None


class Offering(Struct):
    id: str
    name: str
    created: int
    description: str
    architecture: Architecture
    endpoints: list[OfferRow]


class Answer(Struct):
    data: Offering


def offering(view: View, model: Model) -> Answer:
    """Return the model and its offers, those that serve first, each as a request would try them."""
    found = []
    for offer in view.snapshot.offers.get(model.id, ()):
        reason = view.reason(model, offer)
        if not reason.startswith(UNSAID):
            endpoint = view.snapshot.endpoints[offer.slug]
            found.append((bool(reason), endpoint.priority, row(model, offer, endpoint, reason)))
    found.sort(key=lambda one: one[:2])
    name = model.name or model.id
    rows = [one[2] for one in found]
    return Answer(
        Offering(model.id, name, model.created, model.description, architecture(model), rows)
    )


def row(model: Model, offer: Offer, endpoint: Endpoint, reason: str) -> OfferRow:
    return OfferRow(
        name=f"{endpoint.name} | {model.id}",
        model_id=model.id,
        model_name=model.name or model.id,
        provider_name=endpoint.name,
        provider_slug=offer.slug,
        tag=offer.slug,
        upstream_id=offer.upstream_id,
        context_length=offer.context_length or model.context_length,
        max_completion_tokens=offer.max_output_tokens,
        pricing=pricing(offer.price),
        price_source=offer.price.source or None,
        supported_parameters=offer.supported_parameters,
        capabilities=sorted(offer.capabilities or model.capabilities),
        status=DOES_NOT if reason else SERVES,
        reason=reason or None,
        uptime_last_1d=None if offer.uptime is None else round(100 * offer.uptime, 2),
        latency_last_30m=middle(offer.latency_ms),
        throughput_last_30m=middle(offer.throughput_tps),
        deprecated=offer.deprecated,
        expiration_date=offer.deprecated_at,
        replaced_by=offer.replaced_by or None,
    )


def middle(value: float | None) -> Middle | None:
    return None if value is None else Middle(value)

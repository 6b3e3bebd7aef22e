"""What can be asked for, as rows of OpenAI's shape with OpenRouter's beside it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from catalog import exclusions
from catalog.asks import Ask, Permissions, Preferences
from catalog.naming import Target
from catalog.values import Model, Offer, Snapshot
from providers.values import Price

PICO = Decimal(10) ** 12


def rows(
    snapshot: Snapshot, permissions: Permissions, slug: str | None, now: float
) -> list[dict[str, Any]]:
    """Return the models that can be called, at `slug` if given, sorted by id."""
    found = []
    for model_id in sorted(snapshot.models):
        row = row_of(snapshot, snapshot.models[model_id], permissions, slug, now)
        if row is not None and not snapshot.models[model_id].hidden:
            found.append(row)
    return found


def row_of(
    snapshot: Snapshot, model: Model, permissions: Permissions, slug: str | None, now: float
) -> dict[str, Any] | None:
    """Return one model's row; None if no offer of it can be used."""
    offers = usable(snapshot, model, permissions, slug, now)
    if not offers:
        return None
    first = offers[0]
    endpoint = snapshot.endpoints[first.slug]
    context = first.context_length or model.context_length
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.id.partition("/")[0] if "/" in model.id else first.slug,
        "canonical_slug": model.id,
        "name": model.name or model.id,
        "description": model.description,
        "context_length": context,
        "architecture": architecture(model),
        "capabilities": sorted(model.capabilities),
        "pricing": pricing(first.price),
        "top_provider": {"context_length": context},
        "provider_slug": first.slug,
        "provider_site_url": endpoint.site_url or None,
        "source_gateway": first.slug,
        "gateways": [offer.slug for offer in offers],
    }


def usable(
    snapshot: Snapshot, model: Model, permissions: Permissions, slug: str | None, now: float
) -> list[Offer]:
    """Return the offers that some request could use, best first."""
    target = Target(model.id, slug)
    found: list[Offer] = []
    for offer in snapshot.offers.get(model.id, ()):
        can = offer.capabilities or model.capabilities
        ask = Ask(model.id, endpoint=next(iter(can), "chat"), permissions=permissions)
        scene = exclusions.Scene(snapshot, ask, Preferences(), now)
        if not exclusions.reason(scene, target, offer):
            found.append(offer)
    return sorted(found, key=lambda o: (snapshot.endpoints[o.slug].priority, o.slug))


def pricing(price: Price) -> Mapping[str, str | None]:
    """Return USD per token as decimal strings; None where it is not known."""
    return {"prompt": usd(price.input), "completion": usd(price.output)}


def usd(pico: int | None) -> str | None:
    return None if pico is None else f"{(Decimal(pico) / PICO).normalize():f}"


def architecture(model: Model) -> dict[str, Any]:
    made = {"images": "image", "audio": "audio", "embeddings": "embeddings", "rerank": "rerank"}
    outputs = [made.get(can, "text") for can in sorted(model.capabilities)] or ["text"]
    return {
        "modality": f"text->{outputs[0]}",
        "input_modalities": ["text"],
        "output_modalities": sorted(set(outputs)),
    }

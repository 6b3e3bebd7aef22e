"""Confirmed identities: an admin's mapping moves the offer to the model that it names."""

from collections.abc import Iterator

from catalog.listed import LISTING
from catalog.models import Model, Offer
from catalog.syncs.likely import Entry, Match, likely
from catalog.syncs.models import ModelMapping
from providers.configuration import one_revision
from providers.models import Provider


class Occupied(ValueError):
    """The provider offers the model already, under another id."""


def join(provider: Provider, upstream_id: str, model: Model) -> None:
    """Say that the provider's id is `model`, and move its offer there. Raises Occupied."""
    others = Offer.objects.filter(provider=provider, model=model).exclude(upstream_id=upstream_id)
    for other in others:
        raise Occupied(f"{provider.slug} offers {model} already, as {other.upstream_id}")
    with one_revision(f"{upstream_id} at {provider.slug} is {model}"):
        ModelMapping.objects.update_or_create(
            provider=provider, upstream_id=upstream_id, defaults={"model": model}
        )
        for offer in Offer.objects.filter(provider=provider, upstream_id=upstream_id):
            move(offer, model)


def move(offer: Offer, model: Model) -> None:
    left = offer.model
    if left.pk == model.pk:
        return
    offer.model = model
    offer.save(update_fields=["model"])
    if is_empty(left):
        left.delete()


def is_empty(model: Model) -> bool:
    """Tell whether only a list spoke of it, and no offer is left; what an admin wrote stays."""
    written = model.name or model.description or model.capabilities or model.context_length
    return model.source == LISTING and not (written or model.hidden or model.offers.exists())


def merge(model: Model, other: Model) -> None:
    """Move every offer of `other` to `model`, with a mapping each. Raises Occupied."""
    with one_revision(f"{other} is {model}"):
        for offer in other.offers.select_related("provider"):
            join(offer.provider, offer.upstream_id, model)


def matches() -> Iterator[Match]:
    """Yield the pairs of models that may be one."""
    providers: dict[str, set[str]] = {}
    rows = Offer.objects.alive().values_list("model__model_id", "provider__slug")
    for model_id, slug in rows.iterator(chunk_size=2000):
        providers.setdefault(model_id, set()).add(slug)
    return likely(Entry(model_id, frozenset(slugs)) for model_id, slugs in providers.items())

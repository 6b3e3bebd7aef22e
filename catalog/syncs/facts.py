"""A listed row as the catalogue's columns hold it. Pure. Names of fields are names of columns."""

from dataclasses import dataclass, field, fields, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from catalog.other_prices import NAMES, clock
from providers.listings.values import Listed, ListedPrice, ListedTier
from providers.rates import PIECES

MILLION = Decimal(1_000_000)
PLACES = Decimal("1E-9")
OTHER = ("other",)


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a list says of an offer; prices in USD per million tokens."""

    listed_input_price: Decimal | None = None
    listed_output_price: Decimal | None = None
    listed_cached_input_price: Decimal | None = None
    listed_other_prices: dict[str, Any] = field(default_factory=dict)
    listed_context_length: int | None = None
    max_output_tokens: int | None = None
    listed_capabilities: tuple[str, ...] = ()
    listed_backends: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    listed_active: bool = True
    deprecated: bool = False
    deprecated_at: str | None = None
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a list says of the model itself."""

    listed_name: str = ""
    listed_description: str = ""
    listed_context_length: int | None = None
    listed_capabilities: tuple[str, ...] = ()
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """What says which model a new row is. created: Unix seconds."""

    hugging_face_id: str = ""
    canonical_slug: str = ""
    created: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    upstream_id: str
    offer: OfferFacts
    model: ModelFacts
    identity: Identity = Identity()


OFFER_COLUMNS = tuple(f.name for f in fields(OfferFacts))
MODEL_COLUMNS = tuple(f.name for f in fields(ModelFacts))


def row_of(listed: Listed) -> Row:
    can = tuple(sorted(listed.capabilities or listed.tasks)) or OTHER
    return Row(
        listed.upstream_id,
        OfferFacts(
            listed_input_price=per_million(listed.price.input),
            listed_output_price=per_million(listed.price.output),
            listed_cached_input_price=per_million(listed.price.cached_input),
            listed_other_prices=others(listed.price),
            listed_context_length=listed.context_length,
            max_output_tokens=listed.max_output_tokens,
            listed_capabilities=can,
            listed_backends=tuple(sorted(listed.backends)),
            supported_parameters=tuple(sorted(listed.supported_parameters)),
            listed_active=listed.active,
            deprecated=listed.deprecated,
            deprecated_at=listed.deprecated_at.isoformat() if listed.deprecated_at else None,
            replaced_by=listed.replaced_by,
        ),
        ModelFacts(
            listed_name=listed.name,
            listed_description=listed.description,
            listed_context_length=listed.context_length,
            listed_capabilities=can,
            input_modalities=tuple(sorted(listed.input_modalities)),
            output_modalities=tuple(sorted(listed.output_modalities)),
        ),
        Identity(listed.hugging_face_id, listed.canonical_slug, listed.created),
    )


def per_million(usd_per_token: Decimal | None) -> Decimal | None:
    """Turn USD per token into USD per million, to nine places, the last rounded half up."""
    if usd_per_token is None:
        return None
    return (usd_per_token * MILLION).quantize(PLACES, ROUND_HALF_UP).normalize()


def others(price: ListedPrice) -> dict[str, Any]:
    """Return the prices of what is not plain input or output, as catalog.other_prices has them."""
    known = ((name, getattr(price, name)) for name in (*NAMES, "second"))
    found: dict[str, Any] = {name: written(name, usd) for name, usd in known if usd is not None}
    tiers = [tier_of(tier) for tier in price.tiers if tier.prices]
    return {**found, "tiers": tiers} if tiers else found


def written(name: str, usd: Decimal) -> str:
    """Write USD for a piece as it is, of a token by the million."""
    value = usd if name in (*PIECES, "second") else per_million(usd) or Decimal(0)
    return f"{value.normalize():f}"


def tier_of(tier: ListedTier) -> dict[str, Any]:
    window = {} if tier.utc_start is None else {"utc_start": clock(tier.utc_start)}
    end = {} if tier.utc_end is None else {"utc_end": clock(tier.utc_end)}
    least = tier.min_prompt_tokens
    size = {} if least is None else {"min_prompt_tokens": least}
    return {**size, **window, **end, **{name: written(name, usd) for name, usd in tier.prices}}


def merged(first: Listed, second: Listed) -> Listed:
    """Join a model's rows from two lists of a provider: the first counts, the second completes."""
    filled: dict[str, Any] = {
        name: getattr(second, name)
        for name in ("name", "description", "context_length", "max_output_tokens", "created")
        if not getattr(first, name)
    }
    joined: dict[str, Any] = {
        name: tuple(dict.fromkeys(getattr(first, name) + getattr(second, name)))
        for name in ("tasks", "backends", "input_modalities", "output_modalities")
    }
    unpriced = first.price.input is None and first.price.output is None
    return replace(
        first,
        **filled,
        **joined,
        capabilities=first.capabilities | second.capabilities,
        price=second.price if unpriced else first.price,
        hugging_face_id=first.hugging_face_id or second.hugging_face_id,
        canonical_slug=first.canonical_slug or second.canonical_slug,
        active=first.active or second.active,
    )

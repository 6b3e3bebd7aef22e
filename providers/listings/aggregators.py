"""Lists of providers that serve many makers' models, each with prices of its own kind."""

from dataclasses import replace

from providers.listings import capabilities as can
from providers.listings.fields import Fields
from providers.listings.openai import BOTH, OPENROUTER_PRICES, vision
from providers.listings.pagination import NextLink, Numbered, Token
from providers.listings.prices import Unit, first_known, quoted
from providers.listings.shape import (
    Shape,
    day_at,
    id_at,
    text_at,
    texts_at,
    tokens_at,
    unless,
)
from providers.listings.tiers import overridden

IN_TIERS = {
    **{
        path.rpartition(".")[2]: (name, Unit.USD_PER_TOKEN)
        for name, path in OPENROUTER_PRICES.items()
    },
    **{name: (name, Unit.USD) for name in ("image", "request", "web_search")},
}
OPENROUTER = Shape(
    paging=NextLink("links.next"),
    capabilities=can.by_outputs(can.TEXT),
    context_length=tokens_at("context_length", "top_provider.context_length"),
    max_output_tokens=tokens_at("top_provider.max_completion_tokens"),
    prices=first_known(
        quoted(Unit.USD_PER_TOKEN, **OPENROUTER_PRICES),
        quoted(
            Unit.USD,
            image="pricing.image",
            request="pricing.request",
            web_search="pricing.web_search",
        ),
    ),
    tiers=overridden("pricing.overrides", IN_TIERS),
    deprecated_at=day_at("expiration_date"),
    hugging_face_id=text_at("hugging_face_id"),
    canonical_slug=text_at("canonical_slug"),
    supported_parameters=texts_at("supported_parameters"),
)
FEATHERLESS = Shape(
    paging=Numbered("page", "per_page", size=1000, pages="pagination.total_pages"),
    capabilities=can.by_id(can.TEXT),
    context_length=tokens_at("context_length"),
    max_output_tokens=tokens_at("max_completion_tokens"),
    prices=first_known(
        quoted(Unit.USD_PER_MILLION, input="pricing.input", output="pricing.output"),
        quoted(Unit.USD_PER_TOKEN, input="pricing.prompt", output="pricing.completion"),
    ),
)
TOGETHER = Shape(
    rows=None,
    name=text_at("display_name"),
    capabilities=can.by_type(
        "type",
        {
            "chat": can.TEXT,
            "language": can.COMPLETIONS,
            "code": can.COMPLETIONS,
            "moderation": can.TEXT,  # there is no endpoint for moderations there
            "embedding": can.EMBEDDINGS,
            "image": can.IMAGES,
            "audio": can.AUDIO,
            "transcribe": can.AUDIO,
            "rerank": can.RERANK,
        },
        can.by_id(can.TEXT),
    ),
    context_length=tokens_at("context_length"),
    prices=quoted(Unit.USD_PER_MILLION, input="pricing.input", output="pricing.output"),
    also_priced=("pricing.hourly", "pricing.base"),
)


def novita_can(fields: Fields, id: str) -> frozenset[str]:
    """Go by the endpoints that the row names, else by its type."""
    named = fields.texts("endpoints")
    return can.union(NOVITA_ENDPOINTS.get(name, can.NOTHING) for name in named) or NOVITA_TYPES(
        fields, id
    )


NOVITA_ENDPOINTS = {
    "chat/completions": can.CHAT,
    "completions": can.COMPLETIONS,
    "embeddings": can.EMBEDDINGS,
    "rerank": can.RERANK,
}
NOVITA_TYPES = can.by_type(
    "model_type",
    {"chat": can.CHAT, "embedding": can.EMBEDDINGS, "rerank": can.RERANK, "image": can.IMAGES},
    can.by_id(can.CHAT),
)
NOVITA = Shape(
    name=text_at("display_name", "title"),
    capabilities=novita_can,
    context_length=tokens_at("context_size"),
    max_output_tokens=tokens_at("max_output_tokens"),
    prices=first_known(
        quoted(
            Unit.USD_PER_MILLION,
            input="pricing.prompt.price_per_m_decimal",
            output="pricing.completion.price_per_m_decimal",
            cached_input="pricing.input_cache_read.price_per_m_decimal",
            cache_write="pricing.input_cache_write.price_per_m_decimal",
        ),
        quoted(
            Unit.TEN_THOUSANDTHS_PER_MILLION,
            input="input_token_price_per_m",
            output="output_token_price_per_m",
        ),
    ),
    active=unless("status", 0),
)

FIREWORKS_KINDS = {
    "EMBEDDING_MODEL": can.EMBEDDINGS,
    "FLUMINA_BASE_MODEL": can.IMAGES,
    "FLUMINA_ADDON": can.IMAGES,
}


def fireworks_can(fields: Fields, id: str) -> frozenset[str]:
    """Trust `kind` before the flags: embedding models claim to support chat."""
    kind = FIREWORKS_KINDS.get(fields.text("kind"))
    return kind if kind is not None else FIREWORKS_FLAGS(fields, id)


FIREWORKS_FLAGS = can.by_flag("supports_chat", can.TEXT, otherwise=can.COMPLETIONS)
FIREWORKS = replace(BOTH, capabilities=fireworks_can, inputs=vision("supports_image_input"))
FIREWORKS_CONTROL = Shape(
    rows="models",
    paging=Token("pageToken", "nextPageToken", "pageSize", size=200),
    id=id_at("name"),
    name=text_at("displayName"),
    capabilities=fireworks_can,
    inputs=vision("supportsImageInput"),
    context_length=tokens_at("contextLength"),
    deprecated_at=day_at("deprecationDate"),
    active=lambda fields: (
        fields.at("supportsServerless") is not False and fields.at("state") in (None, "READY")
    ),
)

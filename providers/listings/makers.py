"""Lists of those who serve models of their own, or few."""

from dataclasses import replace

from providers.listings import capabilities as can
from providers.listings.fields import Fields
from providers.listings.openai import BASE
from providers.listings.pagination import Token
from providers.listings.prices import Unit, quoted
from providers.listings.shape import (
    Shape,
    day_at,
    id_at,
    moment_at,
    text_at,
    texts_at,
    tokens_at,
)

ANTHROPIC = Shape(
    paging=Token("after_id", "last_id", "limit", size=1000, more="has_more"),
    name=text_at("display_name"),
    capabilities=can.by_id(can.CHAT),
    context_length=tokens_at("max_input_tokens"),
    created=moment_at("created_at"),
)


def mistral_can(fields: Fields, id: str) -> frozenset[str]:
    """Go by the flag for chat, and for the rest by the words of the id."""
    if fields.flag("capabilities.completion_chat"):
        return can.CHAT
    if fields.flag("capabilities.moderation"):
        return can.MODERATIONS
    return can.by_id(can.NOTHING if fields.at("capabilities") else can.CHAT)(fields, id)


def mistral_inputs(fields: Fields) -> tuple[str, ...]:
    return ("text", "image") if fields.flag("capabilities.vision") else ("text",)


MISTRAL = replace(
    BASE,
    capabilities=mistral_can,
    context_length=tokens_at("max_context_length"),
    inputs=mistral_inputs,
    aliases=texts_at("aliases"),  # the list has a row for each of them too
    deprecated_at=day_at("deprecation"),
    replaced_by=text_at("deprecation_replacement_model"),
)

COHERE_ENDPOINTS = {
    "chat": can.CHAT,
    "generate": can.COMPLETIONS,
    "embed": can.EMBEDDINGS,
    "rerank": can.RERANK,
}


def cohere_can(fields: Fields, id: str) -> frozenset[str]:
    named = fields.texts("endpoints")
    return can.union(COHERE_ENDPOINTS.get(name, can.NOTHING) for name in named)


COHERE = Shape(
    rows="models",
    paging=Token("page_token", "next_page_token", "page_size", size=1000),
    id=id_at("name"),
    capabilities=cohere_can,
    context_length=tokens_at("context_length"),
    deprecated=lambda fields: fields.flag("is_deprecated"),
)

GOOGLE_METHODS = {
    "generateContent": can.CHAT,
    "embedContent": can.EMBEDDINGS,
    "predict": can.IMAGES,
}


def google_can(fields: Fields, id: str) -> frozenset[str]:
    """Go by the methods; what speaks rather than writes says so in its id only."""
    named = fields.texts("supportedGenerationMethods")
    found = can.union(GOOGLE_METHODS.get(name, can.NOTHING) for name in named)
    return can.by_id(can.CHAT)(fields, id) if found == can.CHAT else found


GOOGLE = Shape(
    rows="models",
    paging=Token("pageToken", "nextPageToken", "pageSize", size=1000),
    id=id_at("name", without="models/"),
    name=text_at("displayName"),
    capabilities=google_can,
    context_length=tokens_at("inputTokenLimit"),
    max_output_tokens=tokens_at("outputTokenLimit"),
)
GOOGLE_OPENAI = replace(BASE, id=id_at("id", without="models/"))

XAI = Shape(
    rows="models",
    capabilities=can.by_outputs(can.TEXT),
    context_length=tokens_at("context_length", "max_prompt_length"),
    aliases=texts_at("aliases"),
    prices=quoted(
        Unit.CENTS_PER_100_MILLION,
        input="prompt_text_token_price",
        output="completion_text_token_price",
        cached_input="cached_prompt_text_token_price",
        image_input="prompt_image_token_price",
        web_search="search_price",
    ),
)

CEREBRAS = Shape(
    capabilities=can.by_id(can.TEXT),
    context_length=tokens_at("limits.max_context_length"),
    max_output_tokens=tokens_at("limits.max_completion_tokens"),
    prices=quoted(Unit.USD_PER_TOKEN, input="pricing.prompt", output="pricing.completion"),
    hugging_face_id=text_at("hugging_face_id"),
)

"""Lists in OpenAI's shape, `{"data": [{"id": …}]}`, and what servers add to it."""

from dataclasses import replace

from providers.listings import capabilities as can
from providers.listings.fields import Fields
from providers.listings.pagination import Offset
from providers.listings.prices import PriceRule, Unit, first_known, quoted
from providers.listings.shape import (
    Shape,
    Texts,
    id_at,
    moment_at,
    no_number,
    text_at,
    texts_at,
    tokens_at,
    unless,
)

OPENROUTER_PRICES = {
    "input": "pricing.prompt",
    "output": "pricing.completion",
    "cached_input": "pricing.input_cache_read",
    "cache_write": "pricing.input_cache_write",
    "cache_write_1h": "pricing.input_cache_write_1h",
    "reasoning": "pricing.internal_reasoning",
    "audio_input": "pricing.audio",
    "audio_output": "pricing.audio_output",
    "image_input": "pricing.image_token",
    "image_output": "pricing.image_output",
}


def common_prices(unit: Unit) -> PriceRule:
    """Read `pricing` under either pair of names. The names say nothing of the unit."""
    other = quoted(unit, input="pricing.input", output="pricing.output")
    return first_known(quoted(unit, **OPENROUTER_PRICES), other)


def vision(*paths: str) -> Texts:
    """Read the inputs from flags that say whether images go in too."""

    def rule(fields: Fields) -> tuple[str, ...]:
        if fields.at(*paths) is None:
            return ()
        return ("text", "image") if any(fields.flag(path) for path in paths) else ("text",)

    return rule


BASE = Shape(
    capabilities=can.by_id(can.CHAT),
    context_length=tokens_at("context_length", "context_window", "max_model_len"),
    max_output_tokens=tokens_at("max_completion_tokens", "max_output_tokens"),
)
BOTH = replace(BASE, capabilities=can.by_id(can.TEXT))

OPENAI = replace(BASE, prices_in=common_prices)
GROQ = replace(BASE, active=unless("active", False))
VLLM = replace(BOTH, created=no_number)  # `created` is the moment of the request
LLAMACPP = replace(VLLM, context_length=tokens_at("meta.n_ctx", "meta.n_ctx_train"))
OLLAMA = replace(BOTH, null_is_empty=True)
OLLAMA_TAGS = replace(OLLAMA, rows="models", id=id_at("name"), created=moment_at("modified_at"))
LMSTUDIO = replace(
    BOTH,
    context_length=tokens_at("max_context_length"),
    capabilities=can.by_type(
        "type",
        {"llm": can.TEXT, "vlm": can.TEXT, "embeddings": can.EMBEDDINGS},
        can.by_id(can.TEXT),
    ),
)
MOONSHOT = replace(BOTH, inputs=vision("supports_image_in"))
PORTKEY = replace(
    BOTH,
    name=text_at("name", "slug"),
    canonical_slug=text_at("canonical_slug"),
    paging=Offset(size_param="limit", offset_param="offset", size=100, total="total"),
)
HYPERBOLIC = replace(
    BOTH,
    capabilities=can.by_flag("supports_chat", can.TEXT),
    inputs=vision("supports_image_input"),
    created=no_number,  # the moment of the request
    prices=quoted(Unit.USD_PER_MILLION, input="input_price", output="output_price"),
)
SAMBANOVA = replace(
    BOTH,
    prices=quoted(Unit.USD_PER_TOKEN, input="pricing.prompt", output="pricing.completion"),
    also_priced=("pricing.duration_per_hour",),
)
NEBIUS = replace(
    BOTH,
    capabilities=can.by_outputs(can.TEXT),
    prices=first_known(
        quoted(Unit.USD_PER_TOKEN, **OPENROUTER_PRICES),
        quoted(Unit.USD, image="pricing.image", request="pricing.request"),
    ),
    active=unless("status", "inactive", "disabled", "deprecated"),
    supported_parameters=texts_at("supported_sampling_parameters"),
)
CHUTES = replace(
    BOTH,
    capabilities=can.by_outputs(can.TEXT),
    context_length=tokens_at("context_length", "max_model_len"),
    max_output_tokens=tokens_at("max_output_length"),
    prices=quoted(Unit.USD_PER_MILLION, **OPENROUTER_PRICES),  # despite the names
    supported_parameters=texts_at("supported_sampling_parameters"),
)
VERCEL = replace(
    BASE,
    capabilities=can.by_type(
        "type",
        {
            "language": can.CHAT,
            "embedding": can.EMBEDDINGS,
            "image": can.IMAGES,
            "reranking": can.RERANK,
        },
        can.by_id(can.CHAT),
    ),
    context_length=tokens_at("context_window"),
    max_output_tokens=tokens_at("max_tokens"),
    prices=quoted(  # per token, unlike others with these names
        Unit.USD_PER_TOKEN,
        input="pricing.input",
        output="pricing.output",
        cached_input="pricing.input_cache_read",
        cache_write="pricing.input_cache_write",
    ),
)

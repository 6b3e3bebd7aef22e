"""DeepInfra's two lists, in two units: its own, and the one in OpenAI's shape."""

from dataclasses import replace
from decimal import Decimal

from providers.listings import capabilities as can
from providers.listings.fields import Fields, shown
from providers.listings.openai import BOTH
from providers.listings.prices import EXACT, Quote, Unit, number, quoted
from providers.listings.shape import Shape, day_at, id_at, prose_at, text_at, tokens_at

TYPES = {
    "text-generation": can.TEXT,
    "text-to-image": can.IMAGES,
    "embeddings": can.EMBEDDINGS,
    "automatic-speech-recognition": can.AUDIO,
    "text-to-speech": can.AUDIO,
    "reranker": can.RERANK,
}
BY_TOKEN = quoted(
    Unit.CENTS_PER_TOKEN,
    input="pricing.cents_per_input_token",
    output="pricing.cents_per_output_token",
)
BY_UNIT = quoted(Unit.CENTS, image="pricing.cents_per_image_unit", second="pricing.cents_per_sec")
PARTS = (
    ("cached_input", "pricing.rate_per_input_token_cached"),
    ("cache_write", "pricing.rate_per_input_token_cache_write"),
)


def prices(fields: Fields) -> Quote:
    """Read prices by the token, or by the image or second; cached ones are parts of the input's."""
    quote = {**BY_TOKEN(fields), **BY_UNIT(fields)}
    for name, path in PARTS:
        part = part_of(fields, path, quote.get("input"))
        if part is not None:
            quote[name] = part
    return quote


def part_of(fields: Fields, path: str, whole: Decimal | None) -> Decimal | None:
    """Multiply a price with the factor at `path`. Null and 0 mean that there is none."""
    factor = fields.at(path)
    if not factor or whole is None:
        return None
    try:
        return EXACT.multiply(whole, number(factor))
    except (ValueError, ArithmeticError):
        fields.problems.append(f"{path}: {shown(factor)} is no factor")
        return None


DEEPINFRA = Shape(
    rows=None,
    id=id_at("model_name"),
    capabilities=can.by_type("type", TYPES, can.by_id(can.TEXT)),
    tasks=lambda fields: tuple(filter(None, [fields.text("reported_type", "type")])),
    context_length=tokens_at("max_tokens"),  # the context, whatever it is called
    max_output_tokens=tokens_at("max_output_tokens"),
    prices=prices,
    deprecated_at=day_at("deprecated"),
    replaced_by=text_at("replaced_by"),
)


def described_can(fields: Fields, id: str) -> frozenset[str]:
    """Rows without metadata are other than text; only words of their id may say what."""
    return can.by_id(can.TEXT if fields.at("metadata") else can.NOTHING)(fields, id)


DEEPINFRA_OPENAI = replace(
    BOTH,
    capabilities=described_can,
    description=prose_at("metadata.description"),
    context_length=tokens_at("metadata.context_length"),
    max_output_tokens=tokens_at("metadata.max_tokens"),
    prices=quoted(
        Unit.USD_PER_MILLION,
        input="metadata.pricing.input_tokens",
        output="metadata.pricing.output_tokens",
        cached_input="metadata.pricing.cache_read_tokens",
    ),
)

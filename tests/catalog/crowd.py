"""Thousands of models with names like those of the Hub, always the same ones."""

import random

from catalog.building import Pieces, assemble
from catalog.values import Model, Offer, Snapshot
from providers.values import Price
from tests.catalog.town import endpoint

FAMILIES = [
    "Llama-3.3",
    "Llama-3.1",
    "Qwen2.5",
    "Qwen3",
    "Mistral",
    "Mixtral",
    "Gemma-2",
    "DeepSeek-R1",
    "Phi-4",
    "Yi-1.5",
    "Falcon",
    "StarCoder2",
    "Hermes-3",
    "Command-R",
    "Granite-3.1",
    "OLMo-2",
    "SmolLM2",
]
SIZES = ["1B", "3B", "7B", "8B", "13B", "14B", "32B", "70B", "72B", "120b", "405B"]
TAILS = [
    "Instruct",
    "Chat",
    "Base",
    "Coder",
    "Math",
    "AWQ",
    "GGUF",
    "FP8",
    "Distill",
    "Preview",
    "Vision",
    "v0.1",
    "v2",
    "dpo",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SLUGS = [f"provider-{number}" for number in range(14)]


def crowd(count: int, *more: str) -> dict[str, Model]:
    """Return `count` models, those named among them."""
    chance = random.Random(7)
    words = ["".join(chance.choices(LETTERS, k=chance.randint(3, 10))) for _ in range(15_000)]
    ids = dict.fromkeys(more)
    while len(ids) < count:
        tail = "-".join([*chance.sample(TAILS, chance.randint(0, 2)), chance.choice(words)])
        family, size = chance.choice(FAMILIES), chance.choice(SIZES)
        ids[f"org{chance.randint(1, 2000)}/{family}-{size}-{tail}"] = None
    return {
        model_id: Model(
            model_id,
            model_id.partition("/")[2].replace("-", " "),
            description=" ".join(chance.choices(words, k=30)) if number % 3 == 0 else "",
        )
        for number, model_id in enumerate(ids)
    }


def crowded(count: int, *more: str) -> Snapshot:
    """Return a snapshot in which each model has an offer at one of fourteen providers."""
    models = crowd(count, *more)
    offers: dict[str, list[Offer]] = {slug: [] for slug in SLUGS}
    for number, model_id in enumerate(models):
        slug = SLUGS[number % len(SLUGS)]
        price = Price(number * 1000, number * 3000)
        parameters = ("temperature", "top_p", "max_tokens", "tools")
        offers[slug].append(
            Offer(
                number,
                model_id,
                slug,
                model_id,
                price=price,
                context_length=131_072,
                supported_parameters=parameters,
            )
        )
    pieces = Pieces(
        endpoints={slug: (endpoint(slug), ()) for slug in SLUGS},
        offers={slug: tuple(rows) for slug, rows in offers.items()},
        models=models,
        aliases={},
        variants={},
        blocks=(),
    )
    return assemble(Snapshot(), pieces, 1)

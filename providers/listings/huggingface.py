"""Hugging Face's two lists: the Hub's, of repositories, and the router's, of chat models.

Both name a model by its repository, so their rows can be joined. A row has several backends, and a
request without a suffix may go to any live one. Hence the price is, part by part, the dearest of
theirs, and the context the longest that one of them serves.
"""

from decimal import Decimal
from typing import Any

from providers.listings import capabilities as can
from providers.listings.fields import Fields
from providers.listings.pagination import LinkHeader
from providers.listings.prices import BASE, Quote, Unit, first_known, quoted
from providers.listings.shape import Shape, id_at, moment_at

TASKS = {
    "conversational": can.CHAT,
    "image-text-to-text": can.CHAT,
    "text-generation": can.COMPLETIONS,
    "feature-extraction": can.EMBEDDINGS,
    "sentence-similarity": can.EMBEDDINGS,
    "text-ranking": can.RERANK,
    "text-to-image": can.IMAGES,
    "image-to-image": can.IMAGES,
    "automatic-speech-recognition": can.AUDIO,
    "text-to-speech": can.AUDIO,
}
LISTS = ("inferenceProviderMapping", "providers")  # the Hub's and the router's
FREE: Quote = {"input": Decimal(0), "output": Decimal(0)}
QUOTE = first_known(
    quoted(Unit.USD_PER_MILLION, input="pricing.input", output="pricing.output"),
    quoted(
        Unit.USD_PER_MILLION,
        input="providerDetails.pricing.input",
        output="providerDetails.pricing.output",
    ),
)


def every(fields: Fields) -> list[Fields]:
    """Return the row's backends, given as a list, or as an object by name."""
    value: Any = fields.at(*LISTS)
    if isinstance(value, dict):
        named = [{"provider": name, **row} for name, row in value.items() if isinstance(row, dict)]
        return [fields.inside(row) for row in named]
    found = value if isinstance(value, list) else []
    return [fields.inside(row) for row in found if isinstance(row, dict)]


def live(fields: Fields) -> list[Fields]:
    return [row for row in every(fields) if row.text("status") in ("live", "")]


def serving(fields: Fields) -> list[Fields]:
    """Return the live backends, or all when none is: an outage is no change of price."""
    return live(fields) or every(fields)


def backends(fields: Fields) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (row.text("provider") for row in live(fields)))))


def active(fields: Fields) -> bool:
    """Be false when backends are listed and none is live, or the repository is switched off."""
    return (not every(fields) or bool(live(fields))) and not fields.flag("disabled")


def dearest(fields: Fields) -> Quote:
    quotes = [quote(row) for row in serving(fields)]
    known = {name: [quote[name] for quote in quotes if name in quote] for name in BASE}
    return {name: max(prices) for name, prices in known.items() if prices}


def quote(row: Fields) -> Quote:
    return QUOTE(row) or (FREE if row.flag("is_free") else {})


def longest(fields: Fields) -> int | None:
    lengths = [
        row.tokens("context_length", "providerDetails.context_length") for row in serving(fields)
    ]
    return max(filter(None, lengths), default=None)


def tasks(fields: Fields) -> tuple[str, ...]:
    """Return the live backends' tasks; without any, what the repository says it is for."""
    stated = dict.fromkeys(filter(None, (row.text("task") for row in live(fields))))
    return tuple(stated) or tuple(filter(None, [fields.text("pipeline_tag")]))


def hub_can(fields: Fields, id: str) -> frozenset[str]:
    return can.union(TASKS.get(task, can.NOTHING) for task in tasks(fields))


def router_can(fields: Fields, id: str) -> frozenset[str]:
    return can.CHAT


HUB = Shape(
    rows=None,
    # What is not expanded does not come; without it there is neither price nor backend.
    paging=LinkHeader(
        "limit",
        size=1000,
        asks=(
            ("expand[]", "inferenceProviderMapping"),
            ("expand[]", "pipeline_tag"),
            ("expand[]", "createdAt"),
        ),
    ),
    capabilities=hub_can,
    tasks=tasks,
    context_length=longest,
    created=moment_at("createdAt"),
    prices=dearest,
    backends=backends,
    hugging_face_id=id_at("id"),
    active=active,
)
ROUTER = Shape(
    capabilities=router_can,
    context_length=longest,
    prices=dearest,
    backends=backends,
    hugging_face_id=id_at("id"),
    active=active,
)

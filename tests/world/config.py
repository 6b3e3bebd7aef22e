"""Config files for `manage.py apply`, said briefly."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from tests.upstreams.server import Upstream

NUMBERS = itertools.count(1)
PRICE = {"input": "0.50", "output": "1.50"}
# Short, so that a test of something else fails instead of hanging.
TIMEOUTS = {"connect": 2, "first_byte": 10, "idle": 10, "total": 30}

# For loads that a plan's usual limits would refuse.
UNLIMITED = {
    "version": 1,
    "plans": {
        "default": dict.fromkeys(("requests_per_minute", "tokens_per_minute", "concurrency"))
    },
}

Model = str | Mapping[str, Any]


def unique(stem: str) -> str:
    """Return a name that no other test uses."""
    return f"{stem}-{next(NUMBERS)}"


def provider_row(upstream: Upstream | str, **config: Any) -> dict[str, Any]:
    """Return a provider at `upstream`, or at a URL, with `config` over the tests' defaults."""
    url = upstream if isinstance(upstream, str) else upstream.url
    token = "" if isinstance(upstream, str) else upstream.token
    defaults = {
        "name": "Test provider",
        "adapter": "openai",
        "base_url": url,
        "enabled": True,
        "private_network": True,
        "credentials": [{"value": token or "sk-upstream-secret"}],
        "timeouts": TIMEOUTS,
    }
    return defaults | config


def model_row(model: Model) -> dict[str, Any]:
    """Return a model without offers; `model` is an id or a mapping with `id`."""
    given = {} if isinstance(model, str) else model
    return {
        "name": given.get("name", model_id(model)),
        "capabilities": given.get("capabilities", ["chat"]),
        "context_length": given.get("context_length", 131072),
        "offers": [],
    }


def model_id(model: Model) -> str:
    return model if isinstance(model, str) else model["id"]


def offer_row(slug: str, model: Model) -> dict[str, Any]:
    """Return what provider `slug` offers of `model`: `upstream_id`, `backends`, `price`."""
    given = {} if isinstance(model, str) else model
    return {
        "provider": slug,
        "upstream_id": given.get("upstream_id", model_id(model)),
        "backends": given.get("backends", []),
        "price": given.get("price", PRICE),
    }


class Declared:
    """What was declared of one gateway so far, so that a model keeps its earlier offers."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}

    def provider(
        self, slug: str, upstream: Upstream | str, models: Iterable[Model], **config: Any
    ) -> dict[str, Any]:
        """Return the config that adds the provider and its offers."""
        touched = {}
        for model in models:
            row = self.models.setdefault(model_id(model), model_row(model))
            others = [offer for offer in row["offers"] if offer["provider"] != slug]
            row["offers"] = [*others, offer_row(slug, model)]
            touched[model_id(model)] = row
        providers = {slug: provider_row(upstream, **config)}
        return {"version": 1, "providers": providers, "models": touched}

"""Routes for tests of what happens between them."""

from dataclasses import replace
from typing import Any

from providers.values import Endpoint, Price, Route, Secret, Timeouts

QUICK = Timeouts(connect_s=1, first_byte_s=1, idle_s=1, total_s=5)


def route(slug: str, offer_id: int = 1, secret_id: int = 1, **endpoint: Any) -> Route:
    """Return a route to `slug`, which answers by the in-memory transport of its own scheme."""
    where = Endpoint(slug, slug.title(), "openai", f"{slug}://test/v1", timeouts=QUICK)
    secret = Secret(secret_id, f"key {secret_id}", f"sk-secret-{secret_id}")
    return Route(replace(where, **endpoint), secret, "m", "asked", f"{slug}/m", offer_id, Price())

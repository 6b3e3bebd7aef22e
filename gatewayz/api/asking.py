"""What a listing is asked for: who asks, and the parameters of the query."""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from rest_framework.request import Request

from catalog.asks import EVERYTHING, Permissions
from catalog.resolver import slug_of
from catalog.sheets import SORTS
from catalog.values import Snapshot
from gatewayz.api.base import caller
from gatewayz.api.headers import has_key
from providers.errors import BadRequest

MOST = 50_000
LONGEST_QUERY = 250
CAPABILITIES = ("chat", "completions", "embeddings", "images", "audio", "rerank", "moderations")


async def permissions(request: Request) -> Permissions:
    """Return what the caller's key may use; everything without a key, where none is required."""
    if settings.PUBLIC_LISTINGS and not has_key(request):
        return EVERYTHING
    return (await caller(request)).permissions


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a list's rows, in which order. Empty strings: not asked for."""

    q: str = ""
    capability: str = ""
    sort: str = ""
    limit: int | None = None
    offset: int = 0

    @classmethod
    def asked(cls, request: Request) -> "Selection":
        """Read the query; raises BadRequest."""
        return cls(
            request.query_params.get("q", "").strip()[:LONGEST_QUERY],
            choice(request, "capability", CAPABILITIES),
            choice(request, "sort", SORTS),
            number(request, "limit", MOST),
            number(request, "offset", 10**9 - 1) or 0,
        )


EVERY_ROW = Selection()


def number(request: Request, name: str, most: int) -> int | None:
    """Return a query parameter that counts; raises BadRequest."""
    given = request.query_params.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and int(given) <= most):
        raise BadRequest(f"`{name}` is a whole number from 0 to {most}.", param=name)
    return int(given)


def choice(request: Request, name: str, choices: Collection[str]) -> str:
    """Return a query parameter that is one of `choices`, or not there; raises BadRequest."""
    given: str | None = request.query_params.get(name)
    if given is not None and given not in choices:
        valid = ", ".join(choices)
        raise BadRequest(
            f"`{name}` is {given[:80]!r}; it can be {valid}.",
            param=name,
            metadata={"valid": list(choices)},
        )
    return given or ""


def gateway(request: Request, snapshot: Snapshot) -> str | None:
    """Return the slug of the provider that the query names; raises UnknownProvider."""
    names = [
        request.query_params[name]
        for name in ("gateway", "provider")
        if name in request.query_params
    ]
    slugs = {slug_of(snapshot, name) for name in names}
    if len(slugs) > 1:
        raise BadRequest("`gateway` and `provider` name two providers.", param="provider")
    return slugs.pop() if slugs else None

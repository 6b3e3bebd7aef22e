"""GET /v1/models and one of them."""

import time
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from catalog import listing
from catalog.asks import ANY, Ask, Permissions, Preferences
from catalog.exclusions import Scene
from catalog.naming import Reader
from catalog.problems import not_found, refusal
from catalog.resolver import routes_of, slug_of
from catalog.trace import SILENT
from catalog.values import Snapshot
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.api.bodies import check_name
from gatewayz.plane import plane
from providers.errors import BadRequest, GatewayError

MOST = 50_000


async def permissions(request: Request) -> Permissions:
    """Return what the caller's key may use; everything without a key."""
    if "HTTP_AUTHORIZATION" not in request.META and "HTTP_X_API_KEY" not in request.META:
        return Permissions()
    key = await caller(request)
    return Permissions(key.allowed_models, key.allowed_providers)


def number(request: Request, name: str, most: int) -> int | None:
    """Return a query parameter that counts; raises BadRequest."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
        raise BadRequest(f"`{name}` is a whole number from 0 to {most}.", param=name)
    return int(text)


def gateway(request: Request, snapshot: Snapshot) -> str | None:
    """Return the slug of the provider that the query names; raises UnknownProvider."""
    asked = request.query_params.get("gateway") or request.query_params.get("provider")
    return slug_of(snapshot, asked) if asked else None


class ModelList(AsyncAPIView):
    """The models that can be called; `gateway` or `provider`, `q`, `limit`, `offset` narrow it."""

    async def get(self, request: Request) -> Response:
        snapshot = plane.live.snapshot
        limit, offset = number(request, "limit", MOST), number(request, "offset", 10**9 - 1) or 0
        slug = gateway(request, snapshot)
        rows = listing.rows(snapshot, await permissions(request), slug, time.time())
        wanted = request.query_params.get("q", "").casefold()
        if wanted:
            rows = [row for row in rows if wanted in f"{row['id']} {row['name']}".casefold()]
        return Response(page(rows, limit, offset, slug))


def page(
    rows: list[dict[str, Any]], limit: int | None, offset: int, slug: str | None
) -> dict[str, Any]:
    data = rows[offset:] if limit is None else rows[offset : offset + limit]
    return {
        "object": "list",
        "data": data,
        "total": len(rows),
        "returned": len(data),
        "limit": limit,
        "offset": offset,
        "gateway": slug,
        "has_more": offset + len(data) < len(rows),
    }


class ModelDetail(AsyncAPIView):
    """One model, by its id or any other name of it; `gateway` or `provider`: as it is there."""

    async def get(self, request: Request, name: str) -> Response:
        snapshot, may, now = plane.live.snapshot, await permissions(request), time.time()
        slug, name = gateway(request, snapshot), check_name(name)
        target = Reader(snapshot, SILENT).find(name, slug)
        model = snapshot.models.get(target.model_id) if target is not None else None
        pin = slug or (target.pin if target is not None else None)
        row = listing.row_of(snapshot, model, may, pin, now) if model is not None else None
        if row is None:
            kind = next(iter(model.capabilities), "chat") if model is not None else "chat"
            raise refused(snapshot, Ask(name, (), kind, permissions=may), slug, now)
        return Response(row)


def refused(snapshot: Snapshot, ask: Ask, slug: str | None, now: float) -> GatewayError:
    """Return the error that a request for the model would meet."""
    scene = Scene(snapshot, ask, Preferences(only=(slug,)) if slug else ANY, now)
    problem = routes_of(scene, ask.model, SILENT)
    if problem.routes:
        return not_found(scene, ask.model)
    return refusal(scene, problem)

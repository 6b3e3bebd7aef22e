"""GET /v1/gateways, their counts, and the health of one."""

import time

from rest_framework.request import Request
from rest_framework.response import Response

from catalog.asks import Permissions
from catalog.gateways import counts_of, gateway_of, health_of, totals_of
from catalog.listing import View
from catalog.resolver import slug_of
from catalog.values import Snapshot
from gatewayz.api.asking import permissions
from gatewayz.api.base import AsyncAPIView
from gatewayz.plane import plane
from providers.values import Endpoint


async def looking(request: Request) -> View:
    return View(plane.live.snapshot, await permissions(request), None, time.time())


def allowed(snapshot: Snapshot, may: Permissions) -> list[Endpoint]:
    """Return the providers that the caller may use, by slug."""
    found = sorted(snapshot.endpoints.values(), key=lambda endpoint: endpoint.slug)
    return [one for one in found if may.provider(one.slug) and (one.is_built_in or not may.test)]


async def recorded(snapshot: Snapshot) -> None:
    """See that the records are of this revision, and no older than a few seconds."""
    if not plane.records.are_fresh(snapshot.revision):
        await plane.aside(plane.records.refresh, snapshot.revision)


class GatewayList(AsyncAPIView):
    """The providers, by all their names, and whether requests can go there."""

    endpoint = "models"

    async def get(self, request: Request) -> Response:
        view = await looking(request)
        sheet = await plane.sheet(view)
        ends = allowed(view.snapshot, view.permissions)
        rows = [gateway_of(view.snapshot, end, sheet) for end in ends]
        return Response({"object": "list", "data": rows})


class GatewayCounts(AsyncAPIView):
    """How many models each provider lists, and how many of them it lists more than once."""

    endpoint = "models"

    async def get(self, request: Request) -> Response:
        view = await looking(request)
        sheet = await plane.sheet(view)
        await recorded(view.snapshot)
        ends = allowed(view.snapshot, view.permissions)
        rows = [counts_of(view.snapshot, end, sheet, plane.records.of(end.slug)) for end in ends]
        return Response({"object": "list", "data": rows, "totals": totals_of(rows)})


class GatewayHealth(AsyncAPIView):
    """One provider, by any of its names: whether requests can go there, what is known and when."""

    endpoint = "models"

    async def get(self, request: Request, name: str) -> Response:
        view = await looking(request)
        slug = slug_of(view.snapshot, name)
        sheet = await plane.sheet(view)
        await recorded(view.snapshot)
        endpoint = view.snapshot.endpoints[slug]
        return Response(health_of(view.snapshot, endpoint, sheet, plane.records.of(slug)))

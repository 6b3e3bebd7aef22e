"""Whether this process lives, is ready, and what it serves."""

import time

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from gatewayz.api.asking import permissions
from gatewayz.api.base import AsyncAPIView
from gatewayz.plane import plane

STALE_S = 10.0


def troubles() -> list[str]:
    """Return what keeps this process from serving truthfully; nothing when all is well."""
    found = []
    if not plane.live.checked_at:
        found.append("the configuration has not been read")
    elif time.monotonic() - plane.live.checked_at > STALE_S + settings.POLL_INTERVAL_S:
        found.append("the database does not answer: the configuration may be old")
    if not plane.journal.mend():
        found.append("the journal cannot be written")
    return found


class Livez(AsyncAPIView):
    """The process answers."""

    async def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Readyz(AsyncAPIView):
    """The process can take requests; 503 with the reasons otherwise."""

    async def get(self, request: Request) -> Response:
        found = troubles()
        state = {
            "status": "unavailable" if found else "ok",
            "problems": found,
            "revision": plane.live.snapshot.revision,
        }
        return Response(state, status=503 if found else 200)


class Health(AsyncAPIView):
    """A summary of what is served."""

    async def get(self, request: Request) -> Response:
        await permissions(request)
        snapshot, found = plane.live.snapshot, troubles() + plane.keeper.troubles()
        ready = [end for end in snapshot.endpoints.values() if end.enabled and end.secrets]
        summary = {
            "status": "degraded" if found else "ok",
            "problems": found,
            "revision": snapshot.revision,
            "gateways": len(snapshot.endpoints),
            "gateways_ready": sorted(end.slug for end in ready),
            "models": len(snapshot.models),
            "aliases": len(snapshot.aliases),
            "limits": plane.keeper.figures(),
        }
        return Response(summary)

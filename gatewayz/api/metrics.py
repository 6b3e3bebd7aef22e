"""GET /metrics, for Prometheus."""

from hmac import compare_digest

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from gatewayz.api.base import AsyncAPIView
from gatewayz.metrics.text import CONTENT_TYPE
from gatewayz.plane import plane
from providers.errors import InvalidKey


class Metrics(AsyncAPIView):
    """Counts of requests, attempts and tokens, states of syncs, alerts and journals."""

    async def get(self, request: Request) -> HttpResponse:
        check_reader(request)
        body = await plane.aside(plane.scrape.text, not plane.journal.broken)
        return HttpResponse(body, content_type=CONTENT_TYPE)


def check_reader(request: Request) -> None:
    """Raise InvalidKey unless the reader has the token, where there is one."""
    wanted = settings.METRICS_TOKEN
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    presented = given.strip().encode() if scheme.lower() == "bearer" else b""
    if wanted and not compare_digest(presented, wanted.encode()):
        raise InvalidKey("These metrics want their token: Authorization: Bearer …")

"""GET /v1/explain."""

import time

from asgiref.sync import sync_to_async
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access.lookup import find_public
from billing.costs.explaining import by_plan
from billing.values import Key
from catalog.asks import ANY, EVERYTHING, Ask, Preferences
from catalog.explaining import explain
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.api.bodies import check_name
from gatewayz.api.headers import has_key
from gatewayz.plane import plane
from providers.errors import BadRequest


class Explain(AsyncAPIView):
    """Where a request for `model` would go and why, `provider` and `endpoint` as it would say them.

    With an API key: what that key gets. Staff of the admin also see the operator's credentials,
    and with `key_id` what another key gets.
    """

    endpoint = "models"

    async def get(self, request: Request) -> Response:
        asked = request.query_params
        staff = await is_staff(request)
        key = await named(asked.get("key_id")) if staff else await caller(request)
        pin = asked.get("provider")
        ask = Ask(
            check_name(asked.get("model", "")),
            endpoint=asked.get("endpoint", "chat"),
            preferences=Preferences(only=(pin,)) if pin else ANY,
            permissions=key.permissions if key else EVERYTHING,
        )
        prices = by_plan(key.tariff if key else None)
        return Response(explain(plane.live.snapshot, ask, time.time(), staff, prices))


async def is_staff(request: Request) -> bool:
    """Whether the admin's session cookie came instead of a key; Django's whole stack read it."""
    if has_key(request):
        return False
    user = await request._request.auser()
    return bool(user.is_active and user.is_staff)


async def named(key_id: str | None) -> Key | None:
    """Return the key; None if none is named. Raises BadRequest."""
    if key_id is None:
        return None
    key = await sync_to_async(find_public)(key_id)
    if key is None:
        raise BadRequest(f"No key has the id {key_id[:80]!r}.", param="key_id")
    return key

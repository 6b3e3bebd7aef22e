"""/v1/keys: a management key looks after the keys of its account and organisation."""

from rest_framework.request import Request
from rest_framework.response import Response

from billing.access.admission import check_management
from billing.access.keyring import Keyring
from gatewayz.api.asking import choice, number
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.api.key_bodies import Change, NewKey, Rotation, given, read
from gatewayz.plane import plane

ON_A_PAGE, MOST = 100, 1000
EXAMPLE = {
    "name": "laptop",
    "allowed_models": ["openai/*"],
    "expires_at": "2031-01-31T00:00:00Z",
    "limit": 25,
    "limit_reset": "monthly",
}


async def keyring(request: Request) -> Keyring:
    """Return the caller's; raises InvalidKey or ManagementOnly."""
    key = await caller(request)
    check_management(key)
    return Keyring(key)


class KeyList(AsyncAPIView):
    """The keys that a management key looks after; `include_revoked` shows those that are over, too.

    POST makes one: `name`, and what else the example has. The answer's `key` is shown this once.
    """

    example = EXAMPLE

    async def get(self, request: Request) -> Response:
        keys = await keyring(request)
        over = choice(request, "include_revoked", ("true", "false")) == "true"
        limit = number(request, "limit", MOST) or ON_A_PAGE
        offset = number(request, "offset", 10**6) or 0
        return Response(await plane.ask(keys.listed, limit, offset, over))

    async def post(self, request: Request) -> Response:
        keys = await keyring(request)
        asked = given(read(request._request.body, NewKey))
        facts, token = await plane.ask(keys.add, asked)
        return secret({"data": facts, "key": token}, 201)


class KeyDetail(AsyncAPIView):
    """One key by its `hash`, the id in the key itself. PATCH changes what it names.

    DELETE revokes, which cannot be undone; the key's receipts and usage stay.
    """

    example = {"name": "desktop", "disabled": False}

    async def get(self, request: Request, public_id: str) -> Response:
        keys = await keyring(request)
        return Response({"data": await plane.ask(keys.found, public_id)})

    async def patch(self, request: Request, public_id: str) -> Response:
        keys = await keyring(request)
        asked = given(read(request._request.body, Change))
        return Response({"data": await plane.ask(keys.change, public_id, asked)})

    async def delete(self, request: Request, public_id: str) -> Response:
        keys = await keyring(request)
        return Response({"data": await plane.ask(keys.revoke, public_id), "deleted": True})


class KeyRotation(AsyncAPIView):
    """POST gives the key a new secret, shown this once; the one of now stays good for a while."""

    example = {"grace_seconds": 3600}

    async def post(self, request: Request, public_id: str) -> Response:
        keys = await keyring(request)
        rotation = read(request._request.body or b"{}", Rotation)
        facts, token = await plane.ask(keys.rotate, public_id, rotation.grace_seconds)
        return secret({"data": facts, "key": token}, 200)


def secret(answer: dict[str, object], status: int) -> Response:
    return Response(answer, status=status, headers={"Cache-Control": "no-store"})

"""POST /v1/credits/redeem and /v1/credits/checkout: how key holders bring money."""

from typing import TypeVar

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from billing.payments.answers import opened, redeemed
from billing.payments.throttle import Throttle
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.api.bodies import read_members, wrong
from gatewayz.plane import plane
from providers.errors import BadRequest

TRIES = Throttle(most=10, window_s=60)
Body = TypeVar("Body", bound=msgspec.Struct)


class CodeBody(msgspec.Struct, forbid_unknown_fields=True):
    code: str


class AmountBody(msgspec.Struct, forbid_unknown_fields=True):
    amount: str


class Redeem(AsyncAPIView):
    """Redeem a promotion `code` for the account of the key. Each account can once."""

    endpoint = "account"
    example = {"code": "GWZ-XXXX-XXXX-XXXX-XXXX"}

    async def post(self, request: Request) -> Response:
        key = await caller(request)
        body = read(request, CodeBody)
        TRIES.count(key.account_id)
        return Response({"data": await plane.ask(redeemed, key, body.code)})


class Checkout(AsyncAPIView):
    """Pay by card: answers with the `url` of a page of Stripe's for the `amount` in USD."""

    endpoint = "account"
    example = {"amount": "25.00"}

    async def post(self, request: Request) -> Response:
        key = await caller(request)
        body = read(request, AmountBody)
        TRIES.count(key.account_id)
        root = request._request.build_absolute_uri("/")
        return Response({"data": await plane.ask(opened, key, body.amount, root)})


def read(request: Request, kind: type[Body]) -> Body:
    """Return the body, no member more or less; raises BadRequest."""
    body = request._request.body
    read_members(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as problem:
        raise wrong(problem) from problem
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise BadRequest("The request's body is not valid JSON.") from problem

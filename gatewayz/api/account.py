"""GET /v1/key, /v1/credits and /v1/generation: the caller's own limits, money and receipts."""

from rest_framework.request import Request
from rest_framework.response import Response

from billing.facts.keyfacts import own_facts
from billing.facts.receipts import receipt
from billing.facts.standing import credits_of
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.plane import plane
from providers.errors import BadRequest

LONGEST_ID = 64


class OwnKey(AsyncAPIView):
    """The key that asks: what it may use, what it has spent, when it ends."""

    async def get(self, request: Request) -> Response:
        key = await caller(request)
        return Response({"data": await plane.ask(own_facts, key.public_id)})


class Credits(AsyncAPIView):
    """The account's money in USD: `total_credits` - `total_usage` = `balance`.

    Some of the balance may be `held` for requests under way.
    """

    endpoint = "account"

    async def get(self, request: Request) -> Response:
        key = await caller(request)
        return Response({"data": await plane.ask(credits_of, key.account_id)})


class Generation(AsyncAPIView):
    """The receipt of one request of the account; `id` is its answer's `X-Request-ID`."""

    endpoint = "account"

    async def get(self, request: Request) -> Response:
        key = await caller(request)
        wanted = request.query_params.get("id", "").strip()
        if not wanted or len(wanted) > LONGEST_ID or not wanted.isprintable():
            raise BadRequest("`id` is the X-Request-ID of an answer.", param="id")
        return Response({"data": await plane.ask(receipt, wanted, key.account_id)})

"""POST /v1/chat/completions."""

from functools import lru_cache
from urllib.parse import quote

import msgspec
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from gatewayz.api.answers import Whole
from gatewayz.api.base import Answer, AsyncAPIView, caller
from gatewayz.api.chat_body import read_chat
from gatewayz.api.exchange import Exchange
from gatewayz.api.relay import Relayed
from gatewayz.api.renderers import Browsable
from providers.dispatch import Reply
from providers.errors import BadRequest

EXAMPLE = {"model": "echo", "messages": [{"role": "user", "content": "Hello, Gatewayz!"}]}
PRINTABLE = "".join(map(chr, range(33, 127))) + " "


class ChatCompletions(AsyncAPIView):
    """Send a chat to whichever provider serves its `model`, streamed or not.

    The body is OpenAI's. Extras: `provider` pins one by any of its names, or is OpenRouter's object
    (`order`, `only`, `ignore`, `allow_fallbacks`, `sort`, `max_price`); `models` are fallbacks.
    """

    endpoint = "chat"
    example = EXAMPLE

    async def get(self, request: Request) -> HttpResponseBase:
        if not isinstance(request.accepted_renderer, Browsable):
            self.http_method_not_allowed(request)
        return Response({"method": "POST", "example": EXAMPLE})

    async def post(self, request: Request) -> Answer:
        key = await caller(request)
        chat = read_chat(request._request.body, key)
        if chat.call.stream and isinstance(request.accepted_renderer, Browsable):
            raise BadRequest("This page shows whole answers: leave `stream` out.", param="stream")
        exchange = Exchange(request.request_id, key, chat.ask, chat.call, chat.bounds)
        reply = await exchange.run()
        self.headers.update(headers_of(reply) | exchange.headers)
        if reply.stream is not None:
            return Relayed(exchange, reply.stream)
        await exchange.returned()
        return whole(request, reply)


def whole(request: Request, reply: Reply) -> Answer:
    """Return the answer's bytes as they are, or as a page for a browser."""
    if reply.answer is None:
        raise BadRequest("The provider gave no answer.")
    if isinstance(request.accepted_renderer, Browsable):
        return Response(msgspec.json.decode(reply.answer.body))
    return Whole(reply.answer.body)


@lru_cache(maxsize=4096)
def shown(upstream_id: str) -> str:
    return quote(upstream_id, safe=PRINTABLE)


def headers_of(reply: Reply) -> dict[str, str]:
    """Say who answered, under which id, after how many attempts."""
    if reply.route is None:
        return {}
    return {
        "X-Gatewayz-Provider": reply.route.endpoint.slug,
        "X-Gatewayz-Model": shown(reply.route.upstream_id),
        "X-Gatewayz-Attempts": str(len(reply.attempts)),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }

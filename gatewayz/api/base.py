"""DRF's APIView with an async dispatch: no thread hop, no database."""

import inspect
import re
import time
from typing import Any, TypeAlias

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe
from rest_framework.request import Request
from rest_framework.views import APIView

from billing.access.addresses import client_address
from billing.access.admission import check_address, check_endpoint, check_key
from billing.access.keys import digests, wellformed
from billing.values import Key
from gatewayz.api.answers import Whole
from gatewayz.api.headers import header
from gatewayz.api.relay import Relayed
from gatewayz.api.requests import ApiRequest
from gatewayz.plane import plane

Answer: TypeAlias = Whole | Relayed | HttpResponseBase


class AsyncAPIView(APIView):
    """Handlers are coroutines; errors carry their status and are rendered in one place."""

    format_kwarg = None
    endpoint = ""  # the kind of request, where a key's scopes name it

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        return view if iscoroutinefunction(view) else markcoroutinefunction(view)

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer Django's own handler, which asks for people: they get pages."""
        answer: Any = await self.answer(request, *args, **kwargs)
        return answer.for_django() if isinstance(answer, Whole) else answer

    async def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
        """Return what is to be sent; every error becomes that."""
        self.args, self.kwargs = args, kwargs
        self.request = drf = ApiRequest(request)
        drf.endpoint = self.endpoint
        self.headers = {"X-Request-ID": drf.request_id}
        try:
            handler = self.handler_of(drf.method.lower())
            answer = await (handler or self.http_method_not_allowed)(drf, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 the border: every error becomes an answer
            answer = self.handle_exception(problem)
        if isinstance(answer, HttpResponseBase):
            return self.finalize_response(drf, answer, *args, **kwargs)
        answer.headers |= self.headers
        return answer

    def handler_of(self, method: str) -> Any:
        if method == "head":
            method = "get"  # the server leaves the body out
        return getattr(self, method, None) if method in self.http_method_names else None

    def get_view_description(self, html: bool = False) -> str:
        """Return the class's docstring; for a page with its `names` as code."""
        text = inspect.cleandoc(type(self).__doc__ or "")
        if not html:
            return text
        paragraphs = conditional_escape(text).split("\n\n")
        body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", body))

    async def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().options(request, *args, **kwargs)


async def presented(request: HttpRequest | Request) -> Key | None:
    """Return the key that the request presents, valid or not; None if there is no such key."""
    token = header(request, b"authorization")
    if token[:7].lower() == "bearer ":
        token = token[7:]
    token = token.strip() or header(request, b"x-api-key").strip()
    if not wellformed(token):
        return None
    wanted = digests(token)
    known, key = plane.keys.seen(wanted)
    return key if known else await plane.read_key(wanted)


async def caller(request: Request) -> Key:
    """Return the key that the request presents, valid now and for this request.

    Raises InvalidKey, AddressNotAllowed or EndpointNotAllowed.
    """
    found = check_key(await presented(request), time.time())
    if found.networks:
        forwarded = header(request, b"x-forwarded-for")
        peer = request.scope["client"][0] if request.scope.get("client") else ""
        check_address(found, client_address(peer, forwarded, settings.TRUSTED_PROXIES))
    if found.endpoints and request.endpoint:
        check_endpoint(found, request.endpoint)
    return found

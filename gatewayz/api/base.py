"""DRF's APIView with an async dispatch: no thread hop, no database."""

import inspect
import re
import time
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.addresses import client_address
from billing.admission import check_address, check_endpoint, check_key
from billing.keys import digests, wellformed
from billing.values import Key
from gatewayz.api.ids import new_request_id
from gatewayz.api.renderers import renderer_for
from gatewayz.plane import plane

NEGOTIATOR = DefaultContentNegotiation()  # DRF wants one; renderer_for decides


class AsyncAPIView(APIView):
    """Handlers are coroutines; errors carry their status and are rendered in one place."""

    format_kwarg = None
    endpoint = ""  # the kind of request, where a key's scopes name it

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        return view if iscoroutinefunction(view) else markcoroutinefunction(view)

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        self.request = drf = Request(request, negotiator=NEGOTIATOR)
        drf.request_id, drf.endpoint = new_request_id(), self.endpoint
        self.headers = {"X-Request-ID": drf.request_id}
        drf.accepted_renderer = renderer = renderer_for(request)
        drf.accepted_media_type = renderer.media_type
        try:
            method = drf.method.lower()
            handler = getattr(self, method, None) if method in self.http_method_names else None
            response = await (handler or self.http_method_not_allowed)(drf, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 the border: every error becomes an answer
            response = self.handle_exception(problem)
        self.response = self.finalize_response(drf, response, *args, **kwargs)
        return self.response

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add the view's headers; an answer whose bytes are there already needs no more."""
        if isinstance(response, Response):
            return super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.headers.items():
            response.headers[name] = value
        return response

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


async def caller(request: Request) -> Key:
    """Return the key that the request presents, valid now and for this request.

    Raises InvalidKey, AddressNotAllowed or EndpointNotAllowed.
    """
    meta = request.META
    token: str = meta.get("HTTP_AUTHORIZATION", "")
    if token[:7].lower() == "bearer ":
        token = token[7:]
    token = token.strip() or meta.get("HTTP_X_API_KEY", "").strip()
    if not wellformed(token):
        return check_key(None, time.time())
    wanted = digests(token)
    known, key = plane.keys.seen(wanted)
    if not known:
        key = await plane.read_key(wanted)
    found = check_key(key, time.time())
    if found.networks:
        forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
        peer = meta.get("REMOTE_ADDR", "")
        check_address(found, client_address(peer, forwarded, settings.TRUSTED_PROXIES))
    if found.endpoints and request.endpoint:
        check_endpoint(found, request.endpoint)
    return found

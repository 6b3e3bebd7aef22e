"""Requests of which nothing is made that nobody reads: Django's, and DRF's around it."""

from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Empty, Request

from gatewayz.api.ids import new_request_id
from gatewayz.api.renderers import renderer_for

NOTHING_ASKED = QueryDict()
READ_ON_DEMAND = {"META", "content_type", "content_params", "script_name", "_stream"}


class LeanRequest(ASGIRequest):
    """A request whose body has come. Most views read no more than that and a header or two."""

    _post_parse_error = _read_started = False
    _body = b""

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        self.path = self.path_info = scope["path"]
        self.method = scope["method"]
        self.resolver_match = None

    def has(self, body: bytes) -> None:
        """Take the whole body, once it is there."""
        self._body = body

    @cached_property
    def _made(self) -> ASGIRequest:
        return ASGIRequest(self.scope, BytesIO(self._body))

    @cached_property
    def GET(self) -> QueryDict:
        query = self.scope.get("query_string")
        return QueryDict(query) if query else NOTHING_ASKED

    def __getattr__(self, name: str) -> Any:
        if name in READ_ON_DEMAND:
            return getattr(self._made, name)
        raise AttributeError(name)


class ApiRequest(Request):
    """DRF's request with an id; its parsers and authenticators are not used."""

    parsers = authenticators = ()
    negotiator = DefaultContentNegotiation()  # DRF wants one; renderer_for decides
    _data = _files = _full_data = _content_type = _stream = Empty

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.scope = request.scope
        self.method = request.method
        self.request_id = new_request_id()
        self.accepted_renderer = renderer_for(request)
        self.accepted_media_type = self.accepted_renderer.media_type

    @cached_property
    def parser_context(self) -> dict[str, Any]:
        return {"request": self, "encoding": "utf-8"}

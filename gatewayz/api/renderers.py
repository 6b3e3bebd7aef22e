"""How data becomes bytes: JSON by msgspec, and DRF's pages for people."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpRequest
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

from gatewayz.api.headers import header

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Json(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else _encode(data)


class Browsable(BrowsableAPIRenderer):
    """DRF's page for a view, with a place for the caller's key."""

    template = "gatewayz/api.html"

    def get_default_renderer(self, view: Any) -> BaseRenderer:
        return Indented()

    def get_rendered_html_form(self, *args: Any) -> None:
        """There are no serializers, so there is only the raw form."""

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Return the form to send JSON with, filled with the view's example."""
        form = super().get_raw_data_form(data, view, method, request)
        if form is not None and "_content" in form.fields:
            form.fields["_content"].initial = (
                Indented().render(getattr(view, "example", {})).decode()
            )
        return form


class Indented(Json):
    """JSON for people."""

    def render(self, data: Any, *_: Any) -> bytes:
        return b"" if data is None else msgspec.json.format(_encode(data), indent=2)


JSON = Json()


def renderer_for(request: HttpRequest) -> BaseRenderer:
    """Return what a client gets: JSON, unless it is a browser that asks for a page. Never a 406."""
    return Browsable() if "text/html" in header(request, b"accept") else JSON

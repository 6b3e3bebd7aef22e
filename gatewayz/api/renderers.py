"""How data becomes bytes: JSON by msgspec, and DRF's pages for people."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

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
        return Json()

    def get_rendered_html_form(self, *args: Any) -> None:
        """There are no serializers, so there is only the raw form."""

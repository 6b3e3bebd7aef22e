"""What a client gets: JSON, unless it is a browser that asks for a page."""

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JsonUnlessBrowser(BaseContentNegotiation):
    """Never a 406: what a client does not name it can still read."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        browser = "text/html" in request.META.get("HTTP_ACCEPT", "")
        renderer = renderers[-1] if browser else renderers[0]
        return renderer, renderer.media_type

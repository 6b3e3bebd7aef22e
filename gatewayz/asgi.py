"""The ASGI application: API clients go the lean way, people go through Django's whole stack."""

import asyncio
import os
from collections.abc import Awaitable
from typing import Any

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatewayz.settings")
django.setup(set_prefix=False)

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from gatewayz.lean import LeanHandler  # noqa: E402
from gatewayz.messages import Receive, Scope, Send  # noqa: E402
from gatewayz.plane import plane  # noqa: E402

LEAN_PATHS = ("/v1/", "/health", "/livez", "/readyz", "/metrics")
STAFF_PATHS = ("/v1/explain",)  # they read the admin's session, too


class Gateway:
    def __init__(self) -> None:
        self._lean = LeanHandler()
        self._stock = ASGIStaticFilesHandler(get_asgi_application())

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        if scope["path"].startswith(LEAN_PATHS) and not for_people(scope):
            return self._lean(scope, receive, send)
        return self._stock(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start the data plane before the first request, and close it after the last."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(plane.start)
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(plane.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return


def for_people(scope: Scope) -> bool:
    """Whether a browser asks, by its Accept header, or a person may."""
    if scope["path"] in STAFF_PATHS:
        return True
    for name, value in scope["headers"]:
        if name == b"accept" and value.find(b"text/html") >= 0:
            return True
    return False


application: Any = Gateway()

"""The ASGI application: API clients go the lean way, people go through Django's whole stack."""

import asyncio
import os
from typing import Any

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatewayz.settings")
django.setup(set_prefix=False)

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from gatewayz.cycle import Receive, Scope, Send  # noqa: E402
from gatewayz.lean import LeanHandler  # noqa: E402
from gatewayz.plane import plane  # noqa: E402

LEAN_PATHS = ("/v1/", "/health", "/livez", "/readyz")
STAFF_PATHS = ("/v1/explain",)  # they read the admin's session, too


class Gateway:
    def __init__(self) -> None:
        self._lean = LeanHandler()
        self._stock = ASGIStaticFilesHandler(get_asgi_application())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(LEAN_PATHS) and not for_people(scope):
            await self._lean(scope, receive, send)
        else:
            await self._stock(scope, receive, send)

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
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return any(name == b"accept" and b"text/html" in value for name, value in headers)


application: Any = Gateway()

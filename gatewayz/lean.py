"""The short way of a request through Django: the same views, without the admin's middleware.

The body is read into memory, nothing hops to a thread, and a client that leaves cancels its view.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch
from django.urls import resolve as resolve_url

from gatewayz.api.fallbacks import answer, not_here
from gatewayz.api.relay import RelayResponse
from providers.errors import PayloadTooLarge, UnsupportedMediaType

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DRAIN_FACTOR = 8
log = logging.getLogger(__name__)
match = lru_cache(maxsize=512)(resolve_url)


class Gone(Exception):
    """The client has left."""


class LeanHandler:
    """An ASGI application for paths whose views are coroutines and make no database query."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive, send)
        except Gone:
            return
        if response is not None:
            await send_whole(response, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> HttpResponse | None:
        """Return what is still to be sent; None when all of it was, or nobody is there."""
        try:
            body = await read_body(scope, receive)
            check_encoding(scope)
            found = match(scope["path"])
        except PayloadTooLarge as problem:
            refused = answer(problem)
            refused["Connection"] = "close"  # or the server goes on reading the rest of it
            return refused
        except UnsupportedMediaType as problem:
            return answer(problem)
        except Resolver404:
            return answer(not_here(scope["path"]))
        watch = asyncio.create_task(leave(receive, asyncio.current_task()))
        try:
            await self._serve(scope, body, found, send)
        except asyncio.CancelledError:
            if not watch.done():
                raise
        finally:
            watch.cancel()
        return None

    async def _serve(self, scope: Scope, body: bytes, found: ResolverMatch, send: Send) -> None:
        request = ASGIRequest(scope, BytesIO())
        request._body = body
        request.resolver_match = found
        response: HttpResponseBase = await found.func(request, *found.args, **found.kwargs)
        if isinstance(response, RelayResponse):
            await send_stream(response, send)
        else:
            await send_whole(response, send)


async def leave(receive: Receive, task: "asyncio.Task[None] | None") -> None:
    """Cancel `task` when the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if task is not None:
        task.cancel()


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the whole body; raises Gone, or PayloadTooLarge once the client has sent it.

    What is too large is read on for a while and forgotten: a client that is still sending
    would not see our answer.
    """
    limit = settings.MAX_BODY_BYTES
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        elif size > limit * DRAIN_FACTOR:
            break
        else:
            pieces.clear()
        if not message.get("more_body"):
            break
    if size > limit:
        raise PayloadTooLarge(f"The request's body is larger than {limit} bytes.")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def check_encoding(scope: Scope) -> None:
    """Raise UnsupportedMediaType for a compressed body."""
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")


def head(response: HttpResponseBase) -> MutableMapping[str, Any]:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


async def send_whole(response: Any, send: Send) -> None:
    if not getattr(response, "is_rendered", True):
        response.render()
    body = response.content
    if "Content-Length" not in response:
        response["Content-Length"] = str(len(body))
    await send(head(response))
    await send({"type": "http.response.body", "body": body})


async def send_stream(response: RelayResponse, send: Send) -> None:
    """Send each piece as it comes; a client that reads slowly makes this wait."""
    try:
        await send(head(response))
        async for piece in response.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        response.release()

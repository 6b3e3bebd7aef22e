"""The short way of a request through Django: the same views, without the admin's middleware.

The body is read into memory, nothing hops to a thread, and a client that leaves cancels its view.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import Resolver404
from django.urls import resolve as resolve_url

from gatewayz.api.answers import Whole
from gatewayz.api.base import Answer, presented
from gatewayz.api.fallbacks import not_here, refusal
from gatewayz.api.relay import Relayed
from gatewayz.api.requests import LeanRequest
from gatewayz.messages import ON_LEAVE, Message, Receive, Scope, Send
from providers.errors import GatewayError, PayloadTooLarge, UnsupportedMediaType

DRAIN_FACTOR = 8
STRANGERS_BYTES = 256 * 1024  # are kept of a body before anybody looks whose it is
match = lru_cache(maxsize=512)(resolve_url)


class Gone(Exception):
    """The client has left."""


class LeanHandler:
    """An ASGI application for the API's views, which are coroutines and make no database query."""

    def __init__(self) -> None:
        self._most_bytes: int = settings.MAX_BODY_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = LeanRequest(scope)
        try:
            request.has(await read_body(receive, self._most_bytes, lambda: is_known(request)))
            check_encoding(scope)
            found = match(scope["path"])
        except Gone:
            return
        except PayloadTooLarge as problem:
            refused = refusal(problem)
            refused.headers["Connection"] = "close"  # or the server reads on the rest of it
            await send_whole(refused, send)
        except UnsupportedMediaType as problem:
            await send_whole(refusal(problem), send)
        except Resolver404:
            await send_whole(refusal(not_here(scope["path"])), send)
        else:
            request.resolver_match = found
            view = found.func.view_class(**found.func.view_initkwargs)
            with Watch(scope, receive):
                answer: Answer = await view.answer(request, *found.args, **found.kwargs)
                await sent(answer, send)


def sent(answer: Answer, send: Send) -> Awaitable[None]:
    if isinstance(answer, Whole):
        return send_whole(answer, send)
    if isinstance(answer, Relayed):
        return send_stream(answer, send)
    return send_rendered(answer, send)


class Watch:
    """`with Watch(…):` cancels the task when its client leaves, and ends the block silently then.

    Our own server calls back; elsewhere a task waits for the message.
    """

    __slots__ = ("_waiting", "gone")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.gone = False
        self._waiting: asyncio.Task[None] | None = None
        on_leave = (scope.get("extensions") or {}).get(ON_LEAVE)
        if on_leave is not None:
            on_leave(self.leave)
        else:
            self._waiting = asyncio.create_task(self._wait(receive, asyncio.current_task()))

    def leave(self, task: "asyncio.Task[None]") -> None:
        self.gone = True
        task.cancel()

    async def _wait(self, receive: Receive, task: "asyncio.Task[Any] | None") -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if task is not None:
            self.leave(task)

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        if self._waiting is not None:
            self._waiting.cancel()
        return self.gone and kind is asyncio.CancelledError


async def is_known(request: LeanRequest) -> bool:
    """Whether the request presents a key of ours; what else is wrong with it, its view says."""
    try:
        return await presented(request) is not None
    except GatewayError:
        return False


async def read_body(receive: Receive, limit: int, known: Callable[[], Awaitable[bool]]) -> bytes:
    """Return the whole body; raises Gone, or PayloadTooLarge once the client has sent it.

    What is too large is read on for a while and forgotten: a client that is still sending
    would not see our answer. So is what is large, from somebody who is not `known`.
    """
    pieces: list[bytes] = []
    size, most = 0, STRANGERS_BYTES
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > most == STRANGERS_BYTES:
            most = limit if await known() else 0
        if size <= most:
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


@lru_cache(maxsize=256)
def encoded(name: str) -> bytes:
    return name.lower().encode("latin-1")


def head(status: int, headers: Mapping[str, str]) -> Message:
    """Return the message that begins an answer; its type is JSON where nothing else is said."""
    pairs = [(encoded(name), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def send_whole(answer: Whole, send: Send) -> None:
    body = answer.body
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    await send(head(answer.status, headers | answer.headers))
    await send({"type": "http.response.body", "body": body})


async def send_rendered(response: Any, send: Send) -> None:
    """Send one of Django's or DRF's responses."""
    if not getattr(response, "is_rendered", True):
        response.render()
    headers = {"Content-Length": str(len(response.content)), **response.headers}
    await send(head(response.status_code, headers))
    await send({"type": "http.response.body", "body": response.content})


async def send_stream(answer: Relayed, send: Send) -> None:
    """Relay; a client that reads slowly makes this wait."""
    try:
        await send(head(answer.status, answer.headers))
        await answer.relay(send)
        await send({"type": "http.response.body", "body": b""})
    finally:
        answer.release()

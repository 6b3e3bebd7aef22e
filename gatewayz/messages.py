"""ASGI's words as types, and our one word more."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# An extension of our server's: it takes what to call, with the request's task, when the client
# leaves before the end of its answer. Elsewhere a task has to wait for that.
ON_LEAVE = "gatewayz.on_leave"

"""Serves requests inside its own process, and tells who asked a database or another thread.

`python -m tests.gatewayz.path_probe MODEL KEY` prints a line of JSON: per request its status, what
came, and the queries, thread hops and threads that it caused.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

BODY = {"messages": [{"role": "user", "content": "hi"}]}
breaches: list[str] = []


def watched(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        breaches.append(f"{what} in {threading.current_thread().name}")
        return original(*args, **options)

    return call


def watch() -> None:
    from asgiref.sync import AsyncToSync, SyncToAsync
    from django.db.backends.utils import CursorWrapper

    for owner, name in (
        (CursorWrapper, "execute"),
        (CursorWrapper, "executemany"),
        (ThreadPoolExecutor, "submit"),
        (SyncToAsync, "__call__"),
        (AsyncToSync, "__call__"),
        (threading.Thread, "start"),
    ):
        setattr(owner, name, watched(f"{owner.__name__}.{name}", getattr(owner, name)))


async def main(model: str, key: str) -> None:
    from gatewayz.asgi import application
    from gatewayz.plane import plane

    await asyncio.to_thread(plane.start)
    transport = httpx.ASGITransport(application)
    bearer = {"Authorization": f"Bearer {key}"}
    client = httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=bearer)
    chat, stream = BODY | {"model": model}, BODY | {"model": model, "stream": True}
    path = "/v1/chat/completions"
    for body in (chat, stream):  # the key is looked up, the connection made
        (await client.post(path, json=body)).raise_for_status()
    watch()
    found = {
        "answer": await seen(client.post(path, json=chat)),
        "stream": await seen(client.post(path, json=stream)),
        "models": await seen(client.get("/v1/models")),
        "model": await seen(client.get(f"/v1/models/{model}")),
        "health": await seen(client.get("/health")),
        "readyz": await seen(client.get("/readyz")),
        "refusal": await seen(client.post(path, json=chat | {"model": "no-such-model"})),
        "malformed key": await seen(client.post(path, json=chat, headers={"Authorization": "x"})),
        "new key": await seen(client.post(path, json=chat, headers=bearer_of(other(key)))),
    }
    print(json.dumps(found), flush=True)
    os._exit(0)  # the watching thread sleeps for an hour


def other(key: str) -> str:
    """Return a key of the same form that nobody has."""
    return key[:-1] + ("1" if key.endswith("0") else "0")


def bearer_of(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def seen(request: Any) -> dict[str, Any]:
    breaches.clear()
    answer = await request
    return {"status": answer.status_code, "text": answer.text[-200:], "breaches": list(breaches)}


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

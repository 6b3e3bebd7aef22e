"""Clients of a served gateway that ask at once, each on a connection of its own."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.world.config import unique
from tests.world.gateway import Gateway

PATH = "/v1/chat/completions"
UNLIMITED = dict.fromkeys(("requests_per_minute", "tokens_per_minute", "concurrency"))


def body(model: str, stream: bool = False, **members: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": model, "messages": messages, "stream": stream, **members}


def ask(gateway: Gateway, key: str, model: str = "echo", **members: Any) -> httpx.Response:
    """Ask once, on a fresh connection."""
    bearer = {"Authorization": f"Bearer {key}"}
    url, given = gateway.url + PATH, body(model, **members)
    return httpx.post(url, json=given, headers=bearer, trust_env=False, timeout=30, verify=False)


def crowd(
    nodes: list[Gateway], key: str, model: str, requests: int, **members: Any
) -> list[httpx.Response]:
    """Ask `requests` times at once, in turn at each node; return the answers, read to the end.

    No connection is used again, so that any worker may answer.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    bearer = {"Authorization": f"Bearer {key}"}
    urls = [nodes[number % len(nodes)].url + PATH for number in range(requests)]

    async def everyone() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            headers=bearer, limits=limits, timeout=60, trust_env=False, verify=False
        ) as client:
            given = body(model, **members)
            return await asyncio.gather(*(client.post(url, json=given) for url in urls))

    return asyncio.run(everyone())


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def key_on(gateway: Gateway, **plan: Any) -> str:
    """Return a key of an account of its own, on a plan with only these limits."""
    name = unique("plan")
    gateway.apply({"version": 1, "plans": {name: UNLIMITED | plan}}, settle=False)
    key = gateway.issue_key(unique("account"), "1000", "--plan", name)
    gateway.settle()
    return key


def shell(gateway: Gateway, code: str) -> None:
    """Run Python as an admin's click would; return once every worker serves from it."""
    gateway.manage("shell", "--no-imports", "-c", code)
    gateway.settle()


def public_id(key: str) -> str:
    return key.split("_")[2]

"""One small request to a provider, by its endpoint: does this model answer there?

The openai client speaks it, over the same transport, address checks and headers as requests;
Anthropic's own format goes through its adapter. Importing this takes a second, for the client.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import msgspec
import openai

from providers.adapters.answers import Broken
from providers.adapters.openai import headers_of
from providers.adapters.registry import ADAPTERS
from providers.adapters.usage import usage_of
from providers.attempts import Failed, read, unreachable
from providers.envelopes import read_failure
from providers.failures import KINDS, Failure
from providers.transport import Outgoing, TransportError
from providers.transport.pool import HttpTransport
from providers.values import Endpoint, Route, Timeouts, Usage

LARGEST = 1024 * 1024
LONGEST_S = 60.0
HELLO = [{"role": "user", "content": "Hi"}]
NOT_SENT = Failure(KINDS["not_sent"], "the probe could not be sent")
log = logging.getLogger(__name__)
GUESSED = Usage(8, 1, source="estimated")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a probe. failure: None when the model answered."""

    failure: Failure | None
    latency_ms: int
    usage: Usage | None = None


def can_probe(endpoint: Endpoint, capability: str) -> bool:
    return (endpoint.adapter, capability) in ASKS


def probe(route: Route, capability: str) -> Probed:
    """Ask for one token, or one embedding; never raises for what the provider does."""
    began = time.monotonic()

    def took_ms() -> int:
        return int((time.monotonic() - began) * 1000)

    try:
        body = ASKS[route.endpoint.adapter, capability](route)
        return Probed(None, took_ms(), used(body))
    except Failed as failed:
        return Probed(failed.failure, took_ms())
    except TransportError as problem:
        return Probed(unreachable(problem), took_ms())
    except (ValueError, openai.OpenAIError) as problem:
        log.warning("a probe of %s could not be sent: %s", route.upstream_id, problem)
        return Probed(NOT_SENT, took_ms())


def used(body: bytes) -> Usage:
    return usage_of(_members(body).get("usage")) or GUESSED


def fetch(outgoing: Outgoing) -> tuple[int, dict[str, str], bytes]:
    """Send and read all of the answer; raises TransportError."""

    async def exchange() -> tuple[int, dict[str, str], bytes]:
        transport = HttpTransport()
        try:
            incoming = await transport.send(outgoing)
            return incoming.status, incoming.headers, await read(incoming, LARGEST)
        finally:
            transport.close()

    return asyncio.run(exchange())


def brief(timeouts: Timeouts) -> Timeouts:
    """Nobody waits for a probe as long as for an answer."""
    return replace(
        timeouts,
        first_byte_s=min(timeouts.first_byte_s, LONGEST_S),
        total_s=min(timeouts.total_s, LONGEST_S),
    )


class OurTransport(httpx2.BaseTransport):
    """Lets the openai client go out as requests do; only our headers are sent."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        endpoint = self._route.endpoint
        outgoing = Outgoing(
            request.method,
            str(request.url),
            headers_of(endpoint, self._route.secret),
            request.read(),
            brief(endpoint.timeouts),
            endpoint.private_network,
        )
        status, headers, body = fetch(outgoing)
        kept = {name: value for name, value in headers.items() if name not in FRAMING}
        return httpx2.Response(status, headers=kept, content=body)


FRAMING = ("content-encoding", "content-length", "transfer-encoding")


def with_client(route: Route, resource: str, fields: Mapping[str, Any], promised: str) -> bytes:
    """Call one resource of the openai client; return the answer's bytes, or raise Failed."""
    secrets = (route.secret.token,) if route.secret.token else ()
    client: Any = openai.OpenAI(
        api_key="set by the transport",
        base_url=route.endpoint.base_url,
        max_retries=0,
        http_client=httpx2.Client(transport=OurTransport(route)),
    )
    for name in resource.split("."):
        client = getattr(client, name)
    try:
        raw = client.with_raw_response.create(model=route.upstream_id, **fields)
    except openai.APIStatusError as problem:
        answer = problem.response
        raise Failed(
            read_failure(answer.status_code, dict(answer.headers), answer.content, secrets)
        ) from problem
    return checked(raw.http_response, promised, secrets)


def checked(response: Any, promised: str, secrets: tuple[str, ...]) -> bytes:
    """Return a body that holds what its format promises; raises Failed for an error in a 200."""
    body: bytes = response.content
    try:
        members = _members(body)
    except msgspec.DecodeError:
        members = {}
    if promised not in members:
        raise Failed(read_failure(200, dict(response.headers), body, secrets))
    return body


def most(endpoint: Endpoint) -> dict[str, int]:
    """Ask for one token, by the parameter that the provider takes."""
    taken = "max_completion_tokens" if "max_tokens" in endpoint.drop_params else "max_tokens"
    return {taken: 1}


def chat(route: Route) -> bytes:
    fields = {"messages": HELLO, **most(route.endpoint)}
    return with_client(route, "chat.completions", fields, "choices")


def completion(route: Route) -> bytes:
    return with_client(route, "completions", {"prompt": "Hi", "max_tokens": 1}, "choices")


def embedding(route: Route) -> bytes:
    return with_client(route, "embeddings", {"input": "Hi", "encoding_format": "float"}, "data")


def native(route: Route) -> bytes:
    """Ask in the adapter's own format."""
    adapter = ADAPTERS[route.endpoint.adapter]
    fields = {
        "messages": msgspec.Raw(msgspec.json.encode(HELLO)),
        "max_tokens": msgspec.Raw(b"1"),
    }
    outgoing = adapter.request(route, fields, stream=False)
    secrets = (route.secret.token,) if route.secret.token else ()
    brisk = msgspec.structs.replace(outgoing, timeouts=brief(outgoing.timeouts))
    status, headers, body = fetch(brisk)
    if not 200 <= status < 300:
        raise Failed(read_failure(status, headers, body, secrets))
    try:
        return adapter.answer(body, route.asked).body
    except Broken as problem:
        raise Failed(read_failure(status, headers, body, secrets)) from problem


ASKS = {
    ("openai", "chat"): chat,
    ("openai", "completions"): completion,
    ("openai", "embeddings"): embedding,
    ("anthropic", "chat"): native,
}

"""Anthropic's native Messages format (version 2023-06-01) behind OpenAI's chat completions."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec

from providers.adapters.answers import Answer, Fields
from providers.adapters.anthropic_answers import chat_completion
from providers.adapters.anthropic_request import body_of
from providers.adapters.anthropic_stream import AnthropicReader
from providers.adapters.openai import headers_of
from providers.transport import Outgoing
from providers.values import Endpoint, Route, Secret

VERSION = ("anthropic-version", "2023-06-01")

_encode = msgspec.json.Encoder().encode


class Anthropic:
    """POST `base_url` + /messages."""

    path = "/messages"

    def request(self, route: Route, fields: Fields, stream: bool) -> Outgoing:
        endpoint = route.endpoint
        kept = {name: raw for name, raw in fields.items() if name not in endpoint.drop_params}
        body = body_of(kept)
        body["model"] = route.upstream_id
        if stream:
            body["stream"] = True
        return Outgoing(
            "POST",
            endpoint.base_url.rstrip("/") + self.path,
            native_headers(endpoint, route.secret),
            _encode(body),
            endpoint.timeouts,
            endpoint.private_network,
        )

    def answer(self, body: bytes, asked: str) -> Answer:
        return chat_completion(body, asked)

    def reader(self, asked: str, wants_usage: bool, secrets: Sequence[str] = ()) -> AnthropicReader:
        return AnthropicReader(asked, wants_usage, secrets)


@lru_cache(maxsize=4096)
def native_headers(endpoint: Endpoint, secret: Secret) -> tuple[tuple[str, str], ...]:
    """Return the headers of every request: the key in x-api-key, unless the row says otherwise."""
    if endpoint.auth_header == Endpoint.__dataclass_fields__["auth_header"].default:
        endpoint = replace(endpoint, auth_header="x-api-key: {key}")
    headers = headers_of(endpoint, secret)
    named = any(name.lower() == VERSION[0] for name, _ in headers)
    return headers if named else (*headers, VERSION)

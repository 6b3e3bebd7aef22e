"""The OpenAI wire format, which most providers speak: only what must change is changed."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from providers.adapters.answers import Answer, Broken, Fields
from providers.adapters.content import is_given, text_bytes_of
from providers.adapters.openai_stream import OpenAIReader
from providers.adapters.usage import usage_of
from providers.transport import Outgoing
from providers.values import Endpoint, Route, Secret

OURS = frozenset({"provider", "models", "usage"})  # extras of our API; no provider sees them
ASK_USAGE = msgspec.Raw(b'{"include_usage":true}')

_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode_id = lru_cache(maxsize=4096)(lambda name: msgspec.Raw(_encode(name)))


@lru_cache(maxsize=4096)
def headers_of(endpoint: Endpoint, secret: Secret) -> tuple[tuple[str, str], ...]:
    """Return the headers of every request with this credential."""
    named, template = endpoint.auth_header.split(":", 1)
    auth = ((named.strip(), template.strip().replace("{key}", secret.token)),)
    return (
        ("content-type", "application/json"),
        *(auth if secret.token else ()),
        *endpoint.headers,
    )


class OpenAI:
    """OpenAI-compatible, at `base_url` + `path`."""

    path = "/chat/completions"

    def request(self, route: Route, fields: Fields, stream: bool) -> Outgoing:
        endpoint = route.endpoint
        dropped = endpoint.drop_params
        members = {
            name: value
            for name, value in fields.items()
            if name not in OURS and name not in dropped
        }
        members["model"] = _encode_id(route.upstream_id)
        if stream and endpoint.stream_usage and "stream_options" not in dropped:
            members["stream_options"] = with_usage(members.get("stream_options"))
        elif not endpoint.stream_usage:
            members.pop("stream_options", None)
        return Outgoing(
            "POST",
            endpoint.base_url + self.path,
            headers_of(endpoint, route.secret),
            _encode(members),
            endpoint.timeouts,
            endpoint.private_network,
        )

    def answer(self, body: bytes, asked: str) -> Answer:
        try:
            members = _members(body)
            if "choices" not in members or is_given(members.get("error")):
                raise Broken("the answer has no choices, or an error")
            usage = usage_of(members.get("usage"))
            size = 0 if usage is not None else text_bytes_of(members["choices"])
        except (msgspec.DecodeError, RecursionError) as problem:
            raise Broken("the answer is not JSON of the promised shape") from problem
        members["model"] = _encode_id(asked)
        return Answer(_encode(members), usage, size)

    def reader(self, asked: str, wants_usage: bool, secrets: Sequence[str] = ()) -> OpenAIReader:
        return OpenAIReader(asked, wants_usage, secrets)


def with_usage(options: msgspec.Raw | None) -> msgspec.Raw:
    """Return the client's stream options with usage asked for."""
    if not is_given(options):
        return ASK_USAGE
    members = _members(options or b"{}")
    members["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(_encode(members))

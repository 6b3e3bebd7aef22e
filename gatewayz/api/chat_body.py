"""The body of a chat request, as far as it is ours to know."""

from dataclasses import dataclass
from typing import Any

import msgspec

from billing.costs import bounds
from billing.costs.estimates import Bounds
from billing.values import Key
from catalog.asks import ANY, Ask
from gatewayz.api.bodies import check_name, read_members, wrong
from gatewayz.api.wishes import ProviderWish, preferences
from providers.adapters.answers import Fields
from providers.attempts import Call
from providers.errors import BadRequest

MOST_FALLBACKS = 20
COUNTED = ("messages", "tools", "response_format")  # what goes into the prompt


class Message(msgspec.Struct):
    role: str
    content: str | list[msgspec.Raw] | None = None


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class UsageWish(msgspec.Struct):
    """OpenRouter's `usage`: whether to tell the cost of the answer."""

    include: bool | None = None


class ChatBody(msgspec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    usage: UsageWish | None = None
    models: list[str] | None = None
    provider: str | ProviderWish | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    top_logprobs: int | None = None
    logprobs: bool | int | None = None
    parallel_tool_calls: bool | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    tools: list[dict[str, msgspec.Raw]] | None = None
    tool_choice: str | dict[str, msgspec.Raw] | None = None
    response_format: dict[str, msgspec.Raw] | None = None
    logit_bias: dict[str, float] | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request understood: what is asked, and what is sent on."""

    ask: Ask
    call: Call
    bounds: Bounds


_body = msgspec.json.Decoder(ChatBody).decode


def read_chat(raw: bytes, key: Key) -> Chat:
    """Return what the body asks for on behalf of `key`; raises BadRequest."""
    fields = read_members(raw)
    try:
        body = _body(raw)
    except msgspec.ValidationError as problem:
        raise wrong(problem) from problem
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise BadRequest("The request's body is not valid JSON.") from problem
    if not body.messages:
        raise BadRequest("`messages` holds no message.", param="messages")
    if body.models is not None and len(body.models) > MOST_FALLBACKS:
        raise BadRequest(f"`models` holds more than {MOST_FALLBACKS} names.", param="models")
    ask = Ask(
        check_name(body.model),
        tuple(check_name(name, "models") for name in body.models or ()),
        "chat",
        ANY if body.provider is None else preferences(body.provider),
        key.permissions,
    )
    most = bounds_of(raw, fields, body)
    return Chat(ask, call(fields, body, most), most)


def call(fields: Fields, body: ChatBody, most: Bounds) -> Call:
    options, usage = body.stream_options, body.usage
    wants_cost = usage is not None and bool(usage.include)
    wants_usage = wants_cost or (options is not None and bool(options.include_usage))
    return Call(fields, bool(body.stream), wants_usage, wants_cost, most.likely_prompt)


def bounds_of(raw: bytes, fields: Fields, body: ChatBody) -> Bounds:
    """Return the most that the request can use; nothing is decoded for it."""
    size = sum(len(memoryview(fields[name])) for name in COUNTED if name in fields)
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    parts = any(type(message.content) is list for message in body.messages)
    return bounds.bounds(raw, size, limit, body.n, parts)

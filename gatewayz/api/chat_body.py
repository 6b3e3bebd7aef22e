"""The body of a chat request, as far as it is ours to know."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from billing.estimates import Bounds
from billing.values import Key
from catalog.asks import ANY, Ask, Permissions, Preferences
from gatewayz.api.bodies import check_name, read_members, wrong
from providers.adapters.answers import Fields
from providers.attempts import Call
from providers.errors import BadRequest

PICO_PER_TOKEN = 10**6  # of a price in USD per million tokens
SORTS = ("price", "latency", "throughput")
MOST_FALLBACKS = 20


class Message(msgspec.Struct):
    role: str
    content: str | list[msgspec.Raw] | None = None


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class ProviderWish(msgspec.Struct, forbid_unknown_fields=True):
    """OpenRouter's `provider` object as far as we keep it. The rest is refused, not ignored."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool | None = None
    sort: str | None = None
    max_price: dict[str, float | str] | None = None


class ChatBody(msgspec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
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
        Permissions(key.allowed_models, key.allowed_providers),
    )
    options = body.stream_options
    wants_usage = options is not None and bool(options.include_usage)
    return Chat(ask, call(fields, body, wants_usage), bounds(fields, body))


def call(fields: Fields, body: ChatBody, wants_usage: bool) -> Call:
    return Call(fields, bool(body.stream), wants_usage)


def bounds(fields: Fields, body: ChatBody) -> Bounds:
    """Return the most that it can use, as far as it says so."""
    text = sum(len(memoryview(fields[name])) for name in ("messages", "tools") if name in fields)
    limit = body.max_completion_tokens if body.max_tokens is None else body.max_tokens
    return Bounds(text, limit if limit and limit > 0 else None, max(1, body.n or 1))


def preferences(wish: str | ProviderWish) -> Preferences:
    """Return the wish as preferences; a plain slug pins."""
    if isinstance(wish, str):
        return Preferences(only=(wish,))
    if wish.sort is not None and wish.sort not in SORTS:
        raise BadRequest(f"`provider.sort` is one of {', '.join(SORTS)}.", param="provider.sort")
    return Preferences(
        only=tuple(wish.only or ()),
        order=tuple(wish.order or ()),
        ignore=tuple(wish.ignore or ()),
        allow_fallbacks=wish.allow_fallbacks is not False,
        sort=wish.sort or "",
        max_price=tuple(limit(side, price) for side, price in (wish.max_price or {}).items()),
    )


def limit(side: str, usd_per_million: float | str) -> tuple[str, int]:
    """Return a price limit in pico-USD per token."""
    param = "provider.max_price"
    if side not in ("prompt", "completion"):
        raise BadRequest(f"`{param}` has prompt and completion, no {side[:40]!r}.", param=param)
    param = f"{param}.{side}"
    try:
        value = Decimal(str(usd_per_million))
        if not 0 <= value < 10**6:
            raise InvalidOperation
    except InvalidOperation as problem:
        raise BadRequest(f"`{param}` is USD per million tokens.", param=param) from problem
    return side, int(value * PICO_PER_TOKEN)

"""Reads what a provider says was used, whatever it left out."""

import msgspec

from providers.values import Usage


class Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Reported(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None


class Said(msgspec.Struct):
    content: object = None
    reasoning_content: object = None
    reasoning: object = None
    tool_calls: object = None


class Choice(msgspec.Struct):
    message: Said | None = None
    delta: Said | None = None
    text: str | None = None


_usage = msgspec.json.Decoder(Reported | None, strict=False).decode
_choices = msgspec.json.Decoder(list[Choice] | None).decode
_encode = msgspec.json.encode


def is_given(raw: msgspec.Raw | None) -> bool:
    """Whether a member is there and is not null."""
    return raw is not None and bytes(memoryview(raw)[:5]).strip() != b"null"


def is_empty(raw: msgspec.Raw) -> bool:
    """Whether `choices` hold nothing."""
    return len(memoryview(raw)) < 9 and b"".join(bytes(raw).split()) in (b"[]", b"null")


def usage_of(raw: msgspec.Raw | None) -> Usage | None:
    """Return the reported usage; None if there is none or it makes no sense."""
    if raw is None:
        return None
    try:
        said = _usage(raw)
    except msgspec.DecodeError:
        return None
    if said is None or (said.prompt_tokens is None and said.completion_tokens is None):
        return None
    prompt, completion = said.prompt_tokens or 0, said.completion_tokens or 0
    cached = (said.prompt_tokens_details and said.prompt_tokens_details.cached_tokens) or 0
    details = said.completion_tokens_details
    reasoning = (details and details.reasoning_tokens) or 0
    if said.total_tokens is not None and said.total_tokens == prompt + completion + reasoning:
        completion += reasoning  # xAI counts reasoning beside the completion
    if min(prompt, completion, cached, reasoning) < 0:
        return None
    return Usage(prompt, completion, min(cached, prompt), min(reasoning, completion))


def text_bytes_of(raw: msgspec.Raw) -> int:
    """Return how many bytes of text, reasoning and tool calls `choices` carry."""
    try:
        choices = _choices(raw) or ()
    except msgspec.DecodeError:
        return len(bytes(raw))
    return sum(_said(choice) for choice in choices)


def _said(choice: Choice) -> int:
    said = choice.delta or choice.message
    if said is None:
        return len(choice.text or "")
    parts = (said.content, said.reasoning_content or said.reasoning, said.tool_calls)
    return sum(
        len(part.encode()) if isinstance(part, str) else len(_encode(part))
        for part in parts
        if part
    )

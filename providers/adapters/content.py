"""What an answer in OpenAI's format holds: whether there is anything, and how much text."""

import msgspec


class Said(msgspec.Struct):
    content: object = None
    reasoning_content: object = None
    reasoning: object = None
    tool_calls: object = None


class Choice(msgspec.Struct):
    message: Said | None = None
    delta: Said | None = None
    text: str | None = None
    finish_reason: object = None


_choices = msgspec.json.Decoder(list[Choice] | None).decode
_encode = msgspec.json.encode


def is_given(raw: msgspec.Raw | None) -> bool:
    """Whether a member is there and is not null."""
    return raw is not None and bytes(memoryview(raw)[:5]).strip() != b"null"


def is_empty(raw: msgspec.Raw) -> bool:
    """Whether `choices` hold nothing."""
    return len(memoryview(raw)) < 9 and b"".join(bytes(raw).split()) in (b"[]", b"null")


def text_bytes_of(raw: msgspec.Raw) -> int:
    """Return how many bytes of text, reasoning and tool calls `choices` carry.

    What cannot be read is no text, and what a choice that ended in an error says is none either.
    """
    try:
        choices = _choices(raw) or ()
    except msgspec.DecodeError:
        return 0
    return sum(_said(choice) for choice in choices if choice.finish_reason != "error")


def _said(choice: Choice) -> int:
    said = choice.delta or choice.message
    if said is None:
        return len((choice.text or "").encode())
    parts = (said.content, said.reasoning_content or said.reasoning, said.tool_calls)
    return sum(
        len(part.encode()) if isinstance(part, str) else len(_encode(part))
        for part in parts
        if part
    )

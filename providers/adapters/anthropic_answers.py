"""Anthropic's whole answer as OpenAI's chat completion."""

import time

import msgspec

from providers.adapters.answers import Answer, Broken
from providers.adapters.anthropic_messages import NULL
from providers.adapters.anthropic_usage import counted, usage_object

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class Block(msgspec.Struct):
    """A piece of content; of a kind that we do not know, only `type` is looked at."""

    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class Message(msgspec.Struct):
    type: str
    content: list[Block]
    id: str = ""
    stop_reason: str | None = None
    usage: msgspec.Raw = NULL


_message = msgspec.json.Decoder(Message).decode
_encode = msgspec.json.Encoder().encode


def finish_reason(stop_reason: str | None) -> str:
    return FINISH_REASONS.get(stop_reason or "", "stop")


def chat_completion(body: bytes, asked: str) -> Answer:
    """Return the answer with `asked` as its model; raises Broken."""
    try:
        message = _message(body)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise Broken("the answer is not a message") from problem
    if message.type != "message":
        raise Broken("the answer is not a message")
    said, size = _said(message.content)
    usage = counted(message.usage).usage()
    choice = {
        "index": 0,
        "message": said,
        "logprobs": None,
        "finish_reason": finish_reason(message.stop_reason),
    }
    completion: dict[str, object] = {
        "id": message.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked,
        "choices": [choice],
    }
    if usage is not None:
        completion["usage"] = usage_object(usage)
    return Answer(_encode(completion), usage, size)


def _said(blocks: list[Block]) -> tuple[dict[str, object], int]:
    """Return the assistant's message, and how many bytes of text it holds."""
    text = "".join(block.text for block in blocks if block.type == "text")
    thoughts = "".join(block.thinking for block in blocks if block.type == "thinking")
    calls = [_call(block) for block in blocks if block.type == "tool_use"]
    said: dict[str, object] = {"role": "assistant", "content": text or None, "refusal": None}
    if not (text or calls):
        said["content"] = ""
    if thoughts:
        said["reasoning_content"] = thoughts
    if calls:
        said["tool_calls"] = calls
    size = sum(len(bytes(block.input)) for block in blocks if block.type == "tool_use")
    return said, size + len(text.encode()) + len(thoughts.encode())


def _call(block: Block) -> dict[str, object]:
    arguments = bytes(block.input).decode()
    function = {"name": block.name, "arguments": arguments}
    return {"id": block.id, "type": "function", "function": function}

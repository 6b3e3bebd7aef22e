"""Anthropic's whole answer as OpenAI's chat completion."""

import time

import msgspec

from providers.adapters.answers import Answer, Broken
from providers.values import Usage

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


class Counted(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None

    def updated(self, later: "Counted") -> "Counted":
        """Return the counts after `later`: they only grow, and need not be repeated."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(later), strict=True)
        return Counted(*(b if a is None else a if b is None else max(a, b) for a, b in pairs))

    def usage(self) -> Usage | None:
        """Return it as ours: what was read from or written to the cache is part of the prompt."""
        cached = self.cache_read_input_tokens or 0
        fresh = (self.input_tokens or 0) + (self.cache_creation_input_tokens or 0)
        completion = self.output_tokens or 0
        if self.input_tokens is None or min(cached, fresh, completion) < 0:
            return None
        return Usage(fresh + cached, completion, cached)


class Message(msgspec.Struct):
    type: str
    content: list[Block]
    id: str = ""
    stop_reason: str | None = None
    usage: Counted | None = None


_message = msgspec.json.Decoder(Message).decode
_encode = msgspec.json.Encoder().encode


def finish_reason(stop_reason: str | None) -> str:
    return FINISH_REASONS.get(stop_reason or "", "stop")


def usage_object(usage: Usage) -> dict[str, object]:
    """Return `usage` as OpenAI's clients expect it."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def chat_completion(body: bytes, asked: str) -> Answer:
    """Return the answer with `asked` as its model; raises Broken."""
    try:
        message = _message(body)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise Broken("the answer is not a message") from problem
    if message.type != "message":
        raise Broken("the answer is not a message")
    said, size = _said(message.content)
    usage = message.usage.usage() if message.usage is not None else None
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

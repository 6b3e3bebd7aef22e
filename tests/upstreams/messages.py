"""Anthropic's own messages API: its whole answer and its stream of named events."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.chat import ToolCall, words
from tests.upstreams.seen import Seen
from tests.upstreams.wire import SSE, Wire


def used(input_tokens: int, output_tokens: int, cache_read: int = 0) -> dict[str, int]:
    """Return Anthropic's usage object; there `input_tokens` leaves the cached ones out."""
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cache_read,
        "output_tokens": output_tokens,
    }


def named(data: Mapping[str, Any]) -> bytes:
    """Return one SSE event with its type as the event's name."""
    body = json.dumps(data, ensure_ascii=False)
    return f"event: {data['type']}\ndata: {body}\n\n".encode()


@dataclass(frozen=True)
class Messages:
    """Answers thinking, text and tool calls, each in a content block of its own.

    error: Anthropic's error object, sent as an event in place of the stream's end.
    """

    text: str = "Hello there"
    usage: Mapping[str, int] = field(default_factory=lambda: used(9, 12))
    thinking: str = ""
    tool_calls: Sequence[ToolCall] = ()
    stop_reason: str = ""
    error: Mapping[str, Any] | None = None
    delay_s: float = 0.0

    async def answer(self, seen: Seen, wire: Wire) -> None:
        if not seen.fields.get("stream"):
            await asyncio.sleep(self.delay_s)
            whole = {"content": self.blocks(), "usage": self.usage, "stop_reason": self.ended()}
            return await wire.json(self.frame(seen) | whole)
        await wire.head(200, SSE)
        for data in self.events(seen):
            await asyncio.sleep(self.delay_s)
            await wire.piece(named(data))
        return await wire.end()

    def events(self, seen: Seen) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {
            "content": [],
            "usage": {**self.usage, "output_tokens": 1},
            "stop_reason": None,
        }
        yield {"type": "message_start", "message": self.frame(seen) | start}
        for index, block in enumerate(self.blocks()):
            yield from block_events(index, block)
            if index == 0:
                yield {"type": "ping"}
        if self.error is not None:
            yield {"type": "error", "error": self.error}
            return
        delta = {"stop_reason": self.ended(), "stop_sequence": None}
        output = {"output_tokens": self.usage["output_tokens"]}
        yield {"type": "message_delta", "delta": delta, "usage": output}
        yield {"type": "message_stop"}

    def blocks(self) -> list[dict[str, Any]]:
        thoughts = [{"type": "thinking", "thinking": self.thinking, "signature": "c2lnbmVk"}]
        texts = [{"type": "text", "text": self.text}]
        tools = [
            {"type": "tool_use", "id": c.id, "name": c.name, "input": json.loads(c.arguments)}
            for c in self.tool_calls
        ]
        return (thoughts if self.thinking else []) + (texts if self.text else []) + tools

    def frame(self, seen: Seen) -> dict[str, Any]:
        return {
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
            "type": "message",
            "role": "assistant",
            "model": seen.model,
            "stop_sequence": None,
        }

    def ended(self) -> str:
        return self.stop_reason or ("tool_use" if self.tool_calls else "end_turn")


def block_events(index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Start a content block empty, send its parts, stop it."""
    empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}}
    start = {**block, **empty.get(block["type"], {"input": {}})}
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in block_deltas(block):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def block_deltas(block: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if block["type"] == "tool_use":
        for part in words(json.dumps(block["input"])):
            yield {"type": "input_json_delta", "partial_json": part}
        return
    kind = block["type"]
    for word in words(block[kind]):
        yield {"type": f"{kind}_delta", kind: word}
    if kind == "thinking":
        yield {"type": "signature_delta", "signature": block["signature"]}

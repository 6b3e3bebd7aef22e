"""A well-behaved chat completion, streamed when the request asks for that."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.seen import Seen
from tests.upstreams.wire import SSE, Wire

DONE = b"data: [DONE]\n\n"
NUMBERS = itertools.count(1)


def tokens(prompt: int, completion: int, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    """Return OpenAI's usage object."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: str = "{}"
    id: str = "call_1"


def event(data: Any) -> bytes:
    """Return one SSE event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


@dataclass(frozen=True)
class Chat:
    """Answers `text`, word by word in a stream, `delay_s` before each event.

    usage: OpenAI's object; None for a provider that sends none.
    usage_when, in streams: "asked" (last event, only with include_usage), "always" (with the
        finish reason, as Mistral), "every" (in every chunk, as Perplexity).
    model: what the answer says; by default the id that arrived.
    extra: members added to the answer or to each chunk.
    """

    text: str = "Hello there"
    usage: Mapping[str, Any] | None = field(default_factory=lambda: tokens(9, 12))
    model: str | None = None
    delay_s: float = 0.0
    usage_when: str = "asked"
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    tool_calls: Sequence[ToolCall] = ()
    finish_reason: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, seen: Seen, wire: Wire) -> None:
        if not seen.fields.get("stream"):
            await asyncio.sleep(self.delay_s)
            return await wire.json(self.completion(seen), headers=self.headers)
        await wire.head(200, {**SSE, **self.headers})
        for data in [*self.events(seen), DONE]:
            await asyncio.sleep(self.delay_s)
            await wire.piece(data)
        return await wire.end()

    def completion(self, seen: Seen) -> dict[str, Any]:
        """Return the whole answer of a request that did not ask for a stream."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.reasoning:
            message[self.reasoning_field] = self.reasoning
        if self.tool_calls:
            calls = [tool_call(call) for call in self.tool_calls]
            message |= {"content": self.text or None, "tool_calls": calls}
        choice = {"index": 0, "message": message, "finish_reason": self.ended()}
        whole = self.frame(seen, "chat.completion") | {"choices": [choice]}
        return whole | ({} if self.usage is None else {"usage": self.usage})

    def events(self, seen: Seen) -> list[bytes]:
        """Return the stream's events, without [DONE]."""
        frame = self.frame(seen, "chat.completion.chunk")
        options = seen.fields.get("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage")
        every: dict[str, Any] = {}
        if self.usage is not None and self.usage_when == "every":
            every = {"usage": self.usage}
        elif asked and self.usage is not None and self.usage_when == "asked":
            every = {"usage": None}
        chunks = [frame | every | {"choices": [choice(delta)]} for delta in self.deltas()]
        chunks.append(frame | every | {"choices": [choice({}, self.ended())]})
        if self.usage is not None and self.usage_when == "always":
            chunks[-1] |= {"usage": self.usage}
        if every == {"usage": None}:
            chunks.append(frame | {"choices": [], "usage": self.usage})
        return [event(chunk) for chunk in chunks]

    def deltas(self) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": ""}
        yield from ({self.reasoning_field: word} for word in words(self.reasoning))
        yield from ({"content": word} for word in words(self.text))
        for index, call in enumerate(self.tool_calls):
            first = tool_call(ToolCall(call.name, "", call.id))
            yield {"tool_calls": [{"index": index, **first}]}
            for part in words(call.arguments):
                yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}

    def frame(self, seen: Seen, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{next(NUMBERS):024d}",
            "object": kind,
            "created": int(time.time()),
            "model": self.model or seen.model,
            "system_fingerprint": "fp_44709d6fcb",
            **self.extra,
        }

    def ended(self) -> str:
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


def choice(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def words(text: str) -> list[str]:
    """Cut before each word, so that the parts joined are the text."""
    return re.findall(r"\s*\S+|\s+", text)

"""The built-in provider: says the last message back, word by word. It needs no account anywhere."""

import asyncio
import time
import uuid

import msgspec

from providers.adapters.openai import OpenAI
from providers.transport import Outgoing

PAUSE_S = 0.02
GREETING = "Hello from Gatewayz. Send a message and I will say it back."


class Message(msgspec.Struct):
    role: str = ""
    content: object = None


class Options(msgspec.Struct):
    include_usage: bool | None = None


class Body(msgspec.Struct):
    model: str = ""
    messages: list[Message] = []
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream_options: Options | None = None


class EchoAdapter(OpenAI):
    """OpenAI's format; the transport below answers instead of a server."""


class EchoTransport:
    """Answers by itself: deterministic text, a token per word, usage counted the same way."""

    async def send(self, outgoing: Outgoing) -> "EchoIncoming":
        try:
            body = msgspec.json.decode(outgoing.body, type=Body)
        except msgspec.DecodeError as problem:
            message = f"echo cannot read this: {problem}"
            return EchoIncoming(400, [_json({"error": {"message": message}})])
        words = text_of(body.messages).split() or GREETING.split()
        limit = body.max_completion_tokens or body.max_tokens or len(words)
        reason = "length" if limit < len(words) else "stop"
        words = words[:limit]
        read = sum(len(text_of([message]).split()) for message in body.messages)
        usage = {
            "prompt_tokens": read,
            "completion_tokens": len(words),
            "total_tokens": read + len(words),
        }
        if body.stream:
            return EchoIncoming(200, events(body, words, reason, usage), PAUSE_S)
        return EchoIncoming(200, [_json(whole(body.model, " ".join(words), reason, usage))])

    def close(self) -> None:
        """Nothing is open."""


class EchoIncoming:
    """See Incoming."""

    def __init__(self, status: int, pieces: list[bytes], pause_s: float = 0) -> None:
        kind = "text/event-stream" if pause_s else "application/json"
        self.status = status
        self.headers = {"content-type": kind}
        self._pieces = pieces
        self._pause_s = pause_s
        self._given = 0

    async def chunk(self) -> bytes:
        if self._given == len(self._pieces):
            return b""
        if self._pause_s and self._given:
            await asyncio.sleep(self._pause_s)
        self._given += 1
        return self._pieces[self._given - 1]

    def close(self) -> None:
        self._given = len(self._pieces)


def text_of(messages: list[Message]) -> str:
    """Return the text of the last user message, or of the last message."""
    chosen = [message for message in messages if message.role == "user"] or messages
    content = chosen[-1].content if chosen else ""
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return " ".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def whole(model: str, text: str, reason: str, usage: dict[str, int]) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": reason,
            }
        ],
        "usage": usage,
    }


def events(body: Body, words: list[str], reason: str, usage: dict[str, int]) -> list[bytes]:
    """Return the stream: a word an event, the reason, usage if it was asked for, and the end."""
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": body.model,
    }

    def event(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return b"data: " + _json({**head, "choices": [choice]}) + b"\n\n"

    said = [event({"content": f" {word}" if place else word}) for place, word in enumerate(words)]
    pieces = [event({"role": "assistant", "content": ""}), *said, event({}, reason)]
    if body.stream_options is not None and body.stream_options.include_usage:
        pieces.append(b"data: " + _json({**head, "choices": [], "usage": usage}) + b"\n\n")
    return [*pieces, b"data: [DONE]\n\n"]


_json = msgspec.json.encode

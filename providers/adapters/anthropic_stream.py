"""One Anthropic stream as OpenAI's chunks, an event at a time."""

import time
import uuid
from collections.abc import Callable, Sequence

import msgspec

from providers.adapters.answers import Broken
from providers.adapters.anthropic_answers import Block, finish_reason
from providers.adapters.anthropic_messages import NULL
from providers.adapters.anthropic_usage import Counted, counted, usage_object
from providers.adapters.costs import Told
from providers.envelopes import read_failure
from providers.failures import UNREADABLE, Failure
from providers.sse import EventSplitter, EventTooLarge, data_of
from providers.values import Usage

DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"
BYTES_PER_TOKEN = 4


class Start(msgspec.Struct):
    id: str = ""
    usage: msgspec.Raw = NULL


class Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class Event(msgspec.Struct):
    """Any event; those that we do not know are passed over."""

    type: str = ""
    index: int = 0
    message: Start | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_event = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


class AnthropicReader:
    """See Reader. Until the provider has counted the answer, `usage` estimates it by its bytes."""

    __slots__ = (
        "_calls",
        "_counted",
        "_created",
        "_final",
        "_head",
        "_model",
        "_reason",
        "_secrets",
        "_silent",
        "_splitter",
        "_wants_usage",
        "cost",
        "failure",
        "finished",
        "started",
        "text_bytes",
        "usage",
    )

    def __init__(self, asked: str, wants_usage: bool, secrets: Sequence[str] = ()) -> None:
        self.usage: Usage | None = None
        self.text_bytes = 0
        self.failure: Failure | None = None
        self.cost: Callable[[Usage], Told] | None = None
        self.started = False
        self.finished = False
        self._splitter = EventSplitter()
        self._secrets = secrets
        self._wants_usage = wants_usage
        self._model = asked
        self._created = int(time.time())
        self._head = self._head_of(f"chatcmpl-{uuid.uuid4().hex}")
        self._counted = Counted()
        self._final = False
        self._reason: str | None = None
        self._calls: dict[int, int] = {}  # the block's index: the tool call's
        self._silent: set[int] = set()  # tool calls whose arguments have not begun

    def feed(self, chunk: bytes) -> bytes:
        try:
            blocks = self._splitter.feed(chunk)
        except EventTooLarge as problem:
            raise Broken("an event is too large") from problem
        given = b"".join(map(self._block, blocks))
        if not self._final:
            self._estimate()
        return given

    def finish(self) -> bytes:
        """Return the end, also where message_stop is missing; raises Broken if more is."""
        rest = self._splitter.rest()
        left = self._block(rest) if rest.strip() else b""
        if self.finished or self.failure is not None:
            return left
        if self._reason is None:
            raise Broken("the stream ended before its message did")
        return left + self._stop()

    def _block(self, block: bytes) -> bytes:
        data = data_of(block)
        if data is None:
            return PING if block.startswith(b":") else b""
        if self.failure is not None or self.finished:
            return b""
        if data == b"[DONE]":
            return self._stop()
        try:
            event = _event(data)
        except (msgspec.DecodeError, RecursionError):
            self.failure = UNREADABLE
            return b""
        if event.type == "error" or event.error != NULL:
            self.failure = read_failure(200, {}, data, self._secrets)
            return b""
        if event.type == "ping":
            return PING
        self.started = True
        handler = HANDLERS.get(event.type)
        return b"" if handler is None else handler(self, event)

    def _message_start(self, event: Event) -> bytes:
        if event.message is not None:
            if event.message.id:
                self._head = self._head_of(event.message.id)
            self._counted = counted(event.message.usage)
        return self._chunk(b'{"role":"assistant","content":""}')

    def _block_start(self, event: Event) -> bytes:
        block = event.content_block
        if block is None:
            return b""
        if block.type == "text":
            return self._text(b"content", block.text)
        if block.type == "thinking":
            return self._text(b"reasoning_content", block.thinking)
        return self._call_start(event.index, block) if block.type == "tool_use" else b""

    def _call_start(self, index: int, block: Block) -> bytes:
        place = self._calls[index] = len(self._calls)
        whole = bytes(block.input) if len(bytes(block.input).strip(b"{} \n")) else b""
        if not whole:
            self._silent.add(index)
        self.text_bytes += len(whole)
        call = {
            "index": place,
            "id": block.id,
            "type": "function",
            "function": {"name": block.name, "arguments": whole.decode()},
        }
        return self._chunk(_encode({"tool_calls": [call]}))

    def _block_delta(self, event: Event) -> bytes:
        delta = event.delta
        if delta is None:
            return b""
        if delta.type == "text_delta":
            return self._text(b"content", delta.text)
        if delta.type == "input_json_delta":
            return self._arguments(event.index, delta.partial_json)
        if delta.type == "thinking_delta":
            return self._text(b"reasoning_content", delta.thinking)
        return b""

    def _block_stop(self, event: Event) -> bytes:
        """A tool without arguments still gets an object: clients parse the string."""
        return self._arguments(event.index, "{}") if event.index in self._silent else b""

    def _message_delta(self, event: Event) -> bytes:
        if event.usage != NULL:
            said = counted(event.usage)
            self._counted = self._counted.updated(said)
            self.usage = self._counted.usage()
            self._final = self._final or said.output is not None
        if event.delta is None or event.delta.stop_reason is None or self._reason is not None:
            return b""
        self._reason = finish_reason(event.delta.stop_reason)
        return self._chunk(b"{}", _encode(self._reason))

    def _message_stop(self, event: Event) -> bytes:
        return self._stop()

    def _stop(self) -> bytes:
        self.started = self.finished = True
        if not self._final:
            self._estimate()
        last = b"" if self._reason else self._chunk(b"{}", b'"stop"')
        if not self._wants_usage or self.usage is None:
            return last + DONE
        head = self._head.rpartition(b"[")[0]
        told = self.cost(self.usage) if self.cost is not None else {}
        usage = _encode({**usage_object(self.usage), **told})
        return last + head + b'[],"usage":' + usage + b"}\n\n" + DONE

    def _estimate(self) -> None:
        """What a client that leaves now is charged: the prompt as counted, the answer by bytes."""
        known = self._counted.usage()
        if known is None:
            return
        tokens = max(known.completion, -(-self.text_bytes // BYTES_PER_TOKEN))
        self.usage = msgspec.structs.replace(known, output=tokens, source="estimated")

    def _text(self, name: bytes, text: str) -> bytes:
        if not text:
            return b""
        self.text_bytes += len(text.encode())
        return self._chunk(b'{"' + name + b'":' + _encode(text) + b"}")

    def _arguments(self, index: int, text: str) -> bytes:
        if not text or index not in self._calls:
            return b""
        self._silent.discard(index)
        self.text_bytes += len(text.encode())
        call = b'{"tool_calls":[{"index":%d,"function":{"arguments":' % self._calls[index]
        return self._chunk(call + _encode(text) + b"}}]}")

    def _head_of(self, id: str) -> bytes:
        members = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
        }
        return b"data: " + _encode(members)[:-1] + b',"choices":[{"index":0,"delta":'

    def _chunk(self, delta: bytes, reason: bytes = b"null") -> bytes:
        return self._head + delta + b',"finish_reason":' + reason + b"}]}\n\n"


HANDLERS: dict[str, Callable[[AnthropicReader, Event], bytes]] = {
    "message_start": AnthropicReader._message_start,
    "content_block_start": AnthropicReader._block_start,
    "content_block_delta": AnthropicReader._block_delta,
    "content_block_stop": AnthropicReader._block_stop,
    "message_delta": AnthropicReader._message_delta,
    "message_stop": AnthropicReader._message_stop,
}

"""One OpenAI-shaped stream on its way through: the model's name is put back, usage is read."""

from collections.abc import Callable, Sequence

import msgspec

from providers.adapters.answers import Broken
from providers.adapters.content import is_empty, is_given, text_bytes_of
from providers.adapters.costs import Told, added
from providers.adapters.renaming import Renaming
from providers.adapters.usage import usage_of
from providers.envelopes import read_failure
from providers.failures import UNREADABLE, Failure
from providers.sse import EventSplitter, EventTooLarge, data_of
from providers.values import Usage

DONE = b"data: [DONE]\n\n"


class Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: None = None


class Going(msgspec.Struct):
    delta: Delta
    message: None = None
    finish_reason: None = None


class Plain(msgspec.Struct):
    """What most chunks are: one choice that goes on with text, and nothing else to be read."""

    model: msgspec.Raw
    choices: tuple[Going]
    usage: None = None
    error: None = None


_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_plain = msgspec.json.Decoder(Plain).decode
_encode = msgspec.json.Encoder().encode


class OpenAIReader:
    """See Reader. A chunk whose `choices` are empty is usage alone: clients that did not ask for
    it do not get it, since many would trip over the empty list."""

    __slots__ = (
        "_done",
        "_model",
        "_renaming",
        "_secrets",
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
        name = _encode(asked)
        self._model = msgspec.Raw(name)
        self._renaming = Renaming(name)
        self._wants_usage = wants_usage
        self._secrets = secrets
        self._splitter = EventSplitter()

    def feed(self, chunk: bytes) -> bytes:
        alone = self._splitter.lone(chunk)
        if alone is not None:
            return self._told(alone)
        try:
            blocks = self._splitter.feed(chunk)
        except EventTooLarge as problem:
            raise Broken("an event is too large") from problem
        return b"".join(map(self._block, blocks))

    def finish(self) -> bytes:
        rest = self._splitter.rest()
        left = self._block(rest + b"\n\n") if rest.strip() else b""
        if not self.started and self.failure is None:
            raise Broken("the stream ended before its first event")
        if self.finished or self.failure is not None:
            return left
        self.finished = True
        return left + DONE

    def _block(self, block: bytes) -> bytes:
        data = data_of(block)
        if data is None:
            return block if block.lstrip().startswith(b":") else b""
        return self._told(data)

    def _told(self, data: bytes) -> bytes:
        if self.failure is not None or self.finished:
            return b""
        plain = self._plain(data)
        if plain is not None:
            return plain
        if data.strip() == b"[DONE]":
            self.started = self.finished = True
            return DONE
        return self._event(data)

    def _plain(self, data: bytes) -> bytes | None:
        """Return a plain chunk as it came but for its model's name; None for another."""
        try:
            chunk = _plain(data)
        except (msgspec.DecodeError, RecursionError):
            return None
        renamed = self._renaming.apply(data, chunk.model)
        if renamed is None:
            return None
        self.started = True
        delta = chunk.choices[0].delta
        for text in (delta.content, delta.reasoning_content or delta.reasoning):
            if text:
                self.text_bytes += len(text.encode())
        return b"data: %b\n\n" % renamed

    def _event(self, data: bytes) -> bytes:
        try:
            members = _members(data)
        except (msgspec.DecodeError, RecursionError):
            self.failure = UNREADABLE
            return b""
        if is_given(members.get("error")):
            self.failure = read_failure(200, {}, data, self._secrets)
            return b""
        self.started = True
        choices = members.get("choices")
        if (used := usage_of(members.get("usage"))) is not None:
            self.usage = used
            if self.cost is not None:
                members["usage"] = added(members["usage"], self.cost(used))
        if choices is not None and not is_empty(choices):
            self.text_bytes += text_bytes_of(choices)
        elif self.usage is not None and not self._wants_usage:
            return b""
        members["model"] = self._model
        return b"data: " + _encode(members) + b"\n\n"

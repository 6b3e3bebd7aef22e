"""What an adapter makes of a provider's answer."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from providers.adapters.costs import Told
from providers.failures import Failure
from providers.transport import Outgoing
from providers.values import Route, Usage

Fields = dict[str, msgspec.Raw]  # the top-level members of the client's body, not decoded


class Broken(ValueError):
    """The answer is not what the provider's format promises."""


class Answer(msgspec.Struct):
    """A whole answer in the client's format; `text_bytes` estimates where `usage` is None."""

    body: bytes
    usage: Usage | None
    text_bytes: int = 0


class Reader(Protocol):
    """Turns one stream of the provider's into the client's, a piece at a time.

    started: a data event was seen. finished: the provider said that the stream is complete.
    failure: an event tells an error or cannot be read; it was not given out, those before it were.
    cost: what to tell of the cost wherever usage is told; None: nothing.
    """

    usage: Usage | None
    text_bytes: int
    failure: Failure | None
    started: bool
    finished: bool
    cost: Callable[[Usage], Told] | None

    def feed(self, chunk: bytes) -> bytes:
        """Return what can go to the client now; raises Broken."""

    def finish(self) -> bytes:
        """Return what is left when the provider has closed the stream."""


class Adapter(Protocol):
    def request(self, route: Route, fields: Fields, stream: bool) -> Outgoing:
        """Return the provider's request; raises BadRequest for what its format cannot say."""

    def answer(self, body: bytes, asked: str) -> Answer:
        """Return the client's answer, its `model` being `asked`; raises Broken."""

    def reader(self, asked: str, wants_usage: bool, secrets: Sequence[str]) -> Reader:
        """Return a stream's reader; no error that it tells shows any of `secrets`."""

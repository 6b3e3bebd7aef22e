"""A Transport in memory, for what takes long or is hard to time over sockets."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from providers.transport import Outgoing

ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}}]}
SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


@dataclass
class Canned:
    """A response. Pieces are given in turn: an exception is raised, None waits for ever."""

    status: int = 200
    pieces: Sequence[bytes | Exception | None] = (json.dumps(ANSWER).encode(),)
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    closed: bool = False

    async def chunk(self) -> bytes:
        if not self.pieces:
            return b""
        piece, *self.pieces = self.pieces
        if piece is None:
            await asyncio.Event().wait()
        if isinstance(piece, Exception):
            raise piece
        return piece or b""

    def close(self) -> None:
        self.closed = True


@dataclass
class InMemory:
    """Gives its answers in turn, the last for ever; an exception is raised, None waits for ever."""

    answers: list[Canned | Exception | None]
    sent: list[Outgoing] = field(default_factory=list)
    wait_s: float = 0.0

    async def send(self, outgoing: Outgoing) -> Canned:
        self.sent.append(outgoing)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(self.wait_s)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer

    def close(self) -> None:
        """Nothing is open."""


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def stream(*pieces: bytes | Exception | None) -> Canned:
    return Canned(pieces=pieces, headers=dict(SSE))

"""What is measured: the gateway, its peers, and nothing in between; each started alone."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNKS, SHORT = "acme/stream-100000-20", "acme/stream-5-20"
OPEN, HELD = "acme/stream-100000-4000", "acme/stream-100-30000"
MODELS = {"fixed": ["acme/fixed"], "streaming": [CHUNKS, SHORT, OPEN, HELD]}


class Missing(Exception):
    """It cannot be measured here, and why."""


@dataclass(frozen=True)
class Aim:
    """Where requests go, and with which headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    def request(self, body: bytes | str = b"", method: str = "POST") -> bytes:
        """Return a request as it goes over the wire."""
        data = body.encode() if isinstance(body, str) else body
        parts = urlsplit(self.url)
        lines = [f"{method} {parts.path} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["content-type: application/json", f"content-length: {len(data)}", "", ""]
        return "\r\n".join(lines).encode() + data


@dataclass(frozen=True)
class Target:
    """Where to send both kinds of request, and which process then works.

    helpers: further processes of it that work for requests, on other processors. note: what differs
    from its customary set-up.
    """

    name: str
    fixed: Aim
    streaming: Aim
    pid: int
    version: str = ""
    command: str = ""
    started_s: float | None = None
    note: str = ""
    helpers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Where the upstreams are, and which processor is for what is measured, which for all else."""

    fixed: str
    streaming: str
    cpu: int | None
    others: int | None


@dataclass(frozen=True)
class Peer:
    """serving: starts it; raises Missing with the reason if it cannot."""

    name: str
    serving: Callable[[Bench], AbstractContextManager[Target]]

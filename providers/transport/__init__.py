"""The one interface through which requests leave: `send` an Outgoing, get an Incoming.

TransportError
├── NotSent            nothing of the request reached the provider: safe to try elsewhere
│   ├── AddressRefused   the address is private and the provider's row does not allow that
│   ├── NameUnresolved   DNS gave no address
│   ├── ConnectRefused   refused, unreachable or reset while connecting
│   ├── ConnectTimeout
│   └── TlsFailed        handshake or certificate
└── MaybeSent          the provider may have read the request, and may bill it
    ├── ConnectionLost   closed or reset after the first byte of the request was written
    ├── FirstByteTimeout no response head in time
    ├── IdleTimeout      silence between two pieces of the body
    ├── TotalTimeout     the one deadline of the whole request
    └── ProtocolBroken   what came back is not HTTP
"""

from dataclasses import dataclass
from typing import Protocol

from providers.values import Timeouts


class TransportError(Exception):
    """Its text is for logs; it may name addresses, so it is never shown to a client."""


class NotSent(TransportError): ...


class AddressRefused(NotSent): ...


class NameUnresolved(NotSent): ...


class ConnectRefused(NotSent): ...


class ConnectTimeout(NotSent): ...


class TlsFailed(NotSent): ...


class MaybeSent(TransportError): ...


class ConnectionLost(MaybeSent): ...


class FirstByteTimeout(MaybeSent): ...


class IdleTimeout(MaybeSent): ...


class TotalTimeout(MaybeSent): ...


class ProtocolBroken(MaybeSent): ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, complete. `headers` hold neither Host nor Content-Length: the transport sets both."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeouts: Timeouts
    private_network: bool = False


class Incoming(Protocol):
    """A response whose head has arrived. Header names are lower-case; of repeated ones the last counts."""

    status: int
    headers: dict[str, str]

    async def chunk(self) -> bytes:
        """Return the next piece of the body as it came, b"" at its end; raises MaybeSent.

        Until it is called again at most 256 KB are read ahead: a slow reader slows the upstream.
        """

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else cut it. Safe to repeat."""


class Transport(Protocol):
    async def send(self, outgoing: Outgoing) -> Incoming:
        """Send and wait for the response's head; raises TransportError.

        Cancelling the caller cuts the connection at once; a request still waiting for a
        connection is then never sent.
        """

    def close(self) -> None:
        """Close every connection."""

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

import asyncio
from typing import Protocol

import msgspec

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


class NeverSent(asyncio.CancelledError):
    """The caller was cancelled before anything was written: nobody bills that."""


class Outgoing(msgspec.Struct, frozen=True):
    """A request, complete. `headers` hold neither Host nor Content-Length: the transport sets both.

    Nothing else is added: no User-Agent, no Accept-Encoding. HEAD is not supported.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeouts: Timeouts
    private_network: bool = False


class Incoming(Protocol):
    """A response whose head has arrived, whatever its status: redirects are not followed.

    Header names are lower-case; of repeated ones the last counts. A gzip or deflate body is
    decoded, its headers stay as they came.
    """

    status: int

    @property
    def headers(self) -> dict[str, str]: ...

    async def chunk(self) -> bytes:
        """Return all of the body that has come since, b"" at its end; raises MaybeSent.

        Until it is called again at most 256 KB and one read of the socket are queued: a slow
        reader slows the upstream. Cancelling it cuts the connection at once.
        """

    def close(self) -> None:
        """Cut the connection unless the provider has sent all. Safe to repeat.

        A connection is given back as soon as its response is complete, read or not.
        """


class Transport(Protocol):
    async def send(self, outgoing: Outgoing) -> Incoming:
        """Send and wait for the response's head; raises TransportError, or ValueError for a
        URL, method or header that must not be written.

        Cancelling the caller cuts the connection at once; a request still waiting for a
        connection is then never sent, and NeverSent is raised.
        """

    def close(self) -> None:
        """Close every connection."""

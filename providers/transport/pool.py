"""The transport of the gateway: kept-alive connections, opened when there is none to take."""

import asyncio
import ssl
from collections.abc import Hashable
from functools import cache

from providers.transport import ConnectionLost, ConnectRefused, NeverSent, Outgoing
from providers.transport.connection import Connection
from providers.transport.dialing import Dialer
from providers.transport.encoding import encode_request
from providers.transport.resolver import Resolver
from providers.transport.response import Response
from providers.transport.targets import Target, parse_target
from providers.values import Timeouts

# Where to, and whether private addresses were allowed when it was connected.
Key = tuple[tuple[bool, str, int], bool]


class HttpTransport:
    """A Transport for one event loop. HTTP/1.1, no redirects, no cookies, no proxies.

    Idle connections are taken last in, first out, live for `idle_s`, and are at most
    `idle_per_origin` to one origin. Active ones are not limited here: admission is.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        idle_s: float = 15.0,
        idle_per_origin: int = 256,
    ) -> None:
        self._dialer = Dialer(ssl_context or _default_context(), resolver or Resolver())
        self._idle_s = idle_s
        self._idle_per_origin = idle_per_origin
        self._idle: dict[Hashable, list[Connection]] = {}
        self._open: set[Connection] = set()
        self._closed = False

    @property
    def open_connections(self) -> int:
        return len(self._open)

    @property
    def idle_connections(self) -> int:
        return sum(map(len, self._idle.values()))

    async def send(self, outgoing: Outgoing) -> Response:
        """As Transport.send; raises ValueError for a request that must not be written."""
        target = parse_target(outgoing.url)
        request = encode_request(outgoing.method, target, outgoing.headers, outgoing.body)
        timeouts = outgoing.timeouts
        total_at = asyncio.get_running_loop().time() + timeouts.total_s
        key = (target.origin, outgoing.private_network)
        connection = self._take_idle(key)
        if connection is None:
            try:
                connection = await self._dial(target, key, timeouts, total_at)
            except asyncio.CancelledError as gone:
                raise NeverSent from gone
        return await connection.exchange(request, timeouts, total_at)

    def close(self) -> None:
        self._closed = True
        for connection in tuple(self._open):
            connection.fail(ConnectionLost("the transport was closed"))

    def take_back(self, connection: Connection) -> None:
        idle = self._idle.setdefault(connection.key, [])
        if self._closed or len(idle) >= self._idle_per_origin:
            connection.abort()
        else:
            idle.append(connection)

    def forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.key)
        if idle is not None:
            if connection in idle:
                idle.remove(connection)
            if not idle:
                del self._idle[connection.key]

    def _take_idle(self, key: Key) -> Connection | None:
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def _dial(
        self, target: Target, key: Key, timeouts: Timeouts, total_at: float
    ) -> Connection:
        loop = asyncio.get_running_loop()

        def new() -> Connection:
            connection = Connection(loop, self, key, self._idle_s)
            self._open.add(connection)
            return connection

        until = min(loop.time() + timeouts.connect_s, total_at)
        _, private_network = key
        connection = await self._dialer.dial(target, private_network, until, new)
        if self._closed:
            connection.abort()
            raise ConnectRefused("the transport is closed")
        return connection


@cache
def _default_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context

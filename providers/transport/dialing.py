"""Opening a connection: resolve the name, check the addresses, connect to a checked one."""

import asyncio
import ssl
from collections.abc import Callable

from providers.transport import (
    AddressRefused,
    ConnectRefused,
    ConnectTimeout,
    NotSent,
    TlsFailed,
)
from providers.transport.addresses import Address, is_public
from providers.transport.connection import Connection
from providers.transport.resolver import Resolver
from providers.transport.targets import Target


class Dialer:
    """Opens connections. The address that was checked is the one that is connected to: a name
    cannot answer differently the second time. TLS verifies the name, not the address."""

    def __init__(self, ssl_context: ssl.SSLContext, resolver: Resolver) -> None:
        self._ssl_context = ssl_context
        self._resolver = resolver

    async def dial(
        self, target: Target, private_network: bool, until: float, new: Callable[[], Connection]
    ) -> Connection:
        """Return an open connection by the loop time `until`; raises NotSent."""
        try:
            async with asyncio.timeout_at(until):
                addresses = await self._resolver.resolve(target.host)
        except TimeoutError as exc:
            raise ConnectTimeout(f"{target.host}: no answer from DNS in time") from exc
        allowed = [address for address in addresses if private_network or is_public(address)]
        if not allowed:
            raise AddressRefused(f"{target.host}: {_listed(addresses)} not public")
        return await self._dial_first(target, allowed, until, new)

    async def _dial_first(
        self, target: Target, addresses: list[Address], until: float, new: Callable[[], Connection]
    ) -> Connection:
        """Try the addresses in turn, each for its share of the time that is left."""
        loop = asyncio.get_running_loop()
        failure: NotSent = ConnectRefused(f"{target.host}: no address")
        for tried, address in enumerate(addresses):
            share_s = (until - loop.time()) / (len(addresses) - tried)
            try:
                async with asyncio.timeout(share_s):
                    return await self._connect(target, address, new())
            except ssl.SSLError as exc:
                raise TlsFailed(f"{target.host} at {address}: {exc}") from exc
            except TimeoutError as exc:
                failure = ConnectTimeout(f"{target.host} at {address}: no connection in time")
                failure.__cause__ = exc
            except OSError as exc:
                failure = ConnectRefused(f"{target.host} at {address}: {exc}")
                failure.__cause__ = exc
        raise failure

    async def _connect(
        self, target: Target, address: Address, connection: Connection
    ) -> Connection:
        try:
            await connection.loop.create_connection(
                lambda: connection,
                str(address),
                target.port,
                ssl=self._ssl_context if target.secure else None,
                server_hostname=target.host if target.secure else None,
            )
            if not connection.is_open():
                raise ConnectionResetError("closed as soon as it was open")
        except BaseException:
            connection.discard()
            raise
        return connection


def _listed(addresses: tuple[Address, ...]) -> str:
    return ", ".join(map(str, addresses)) or "nothing"

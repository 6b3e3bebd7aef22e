"""From a host's name to its addresses, remembered for a while."""

import asyncio
import socket
from ipaddress import ip_address

from providers.transport import NameUnresolved
from providers.transport.addresses import Address

_MOST_NAMES = 1024


class Resolver:
    """Asks the system. An answer is kept for `ttl_s`; who asks for a name meanwhile shares it."""

    def __init__(self, ttl_s: float = 30.0) -> None:
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}
        self._asked: dict[str, asyncio.Task[tuple[Address, ...]]] = {}

    async def resolve(self, host: str) -> tuple[Address, ...]:
        """Return the addresses, the system's preferred first; raises NameUnresolved.

        An IP literal is its own address, without a question to anybody.
        """
        try:
            return (ip_address(host),)
        except ValueError:
            pass
        expires, addresses = self._known.get(host, (0.0, ()))
        if expires > asyncio.get_running_loop().time():
            return addresses
        return await self._ask_once(host)

    async def _ask_once(self, host: str) -> tuple[Address, ...]:
        task = self._asked.get(host)
        if task is None:
            task = self._asked[host] = asyncio.create_task(self._ask(host))
            task.add_done_callback(lambda done: self._answered(host, done))
        # One caller's cancellation is not the others'.
        return await asyncio.shield(task)

    async def _ask(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise NameUnresolved(f"{host}: {exc}") from exc
        return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))

    def _answered(self, host: str, task: asyncio.Task[tuple[Address, ...]]) -> None:
        del self._asked[host]
        if task.cancelled() or task.exception() is not None:
            return
        if len(self._known) >= _MOST_NAMES:
            self._known.clear()
        self._known[host] = task.get_loop().time() + self._ttl_s, task.result()

"""The address to connect to: looked up once, checked, and then used as it is."""

import socket
from ipaddress import ip_address

from providers.transport.addresses import Address, is_public


class NoAddress(RuntimeError):
    """The name cannot be looked up; that may pass."""


class NotPublic(RuntimeError):
    """It leads to a private address, and nobody allowed that."""


def checked_address(host: str, port: int, private_network: bool) -> Address:
    """Return an address of `host` that may be connected to; raises NoAddress or NotPublic."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NoAddress(f"{host} has no address: {problem}") from problem
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if private_network or is_public(address):
            return address
    raise NotPublic(f"{host} is not public")

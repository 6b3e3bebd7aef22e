"""Where a client is, and whether a key may be used from there. Pure."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parsed(text: str) -> Address | None:
    """Return the address that `text` is, with or without a port; None if it is none."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def client_address(peer: str, forwarded: str, trusted: Iterable[Network]) -> Address | None:
    """Return the client's address; None if it cannot be told.

    That is the peer's; of a trusted proxy the last in `forwarded` (X-Forwarded-For, to which each
    proxy appends who asked it) that is no trusted proxy itself.
    """
    address = parsed(peer)
    hops = [hop for hop in forwarded.split(",") if hop.strip()]
    while hops and within(address, trusted):
        address = parsed(hops.pop())
    return address


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that CIDRs or single addresses name; raises ValueError."""
    return tuple(ip_network(text) for text in texts)

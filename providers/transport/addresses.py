"""Which addresses a provider may have. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_ALLOCATED = IPv6Network("2000::/3")

# Ranges that Python calls global (in some versions), and that lead elsewhere or nowhere.
_MISLEADING = tuple(
    ip_network(text)
    for text in (
        "192.88.99.0/24",  # relays from 6to4
        "2002::/16",  # 6to4: any IPv4 address inside
        "2001::/23",  # protocol assignments, Teredo
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Return whether everybody reaches the same host there.

    False for loopback, private, link-local (cloud metadata), shared (CGNAT), multicast, reserved
    and unspecified addresses, and for IPv6 addresses that carry such an IPv4 address.
    """
    if isinstance(address, IPv6Address):
        carried = _carried_ipv4(address)
        if carried is not None:
            return is_public(carried)
        if address not in _ALLOCATED:
            return False
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and not any(address in network for network in _MISLEADING)
    )


def _carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a mapped or NAT64 one stands for."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped

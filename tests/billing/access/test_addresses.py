"""Where a client is, told by its socket, and by a proxy only where that is trusted."""

import pytest

from billing.access.addresses import client_address, networks_of, within

PROXIES = networks_of(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # no proxy of ours: anyone can say that
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the client's own words come first
        ("10.0.0.1", "198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.1.1.1,10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.7:5123", "198.51.100.7"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
        ("10.0.0.1", "unknown", None),
        ("10.0.0.1", "198.51.100.7, nonsense", None),
        ("", "198.51.100.7", None),
        ("10.0.0.1", " , ,", "10.0.0.1"),
    ],
)
def test_the_client_is_found_behind_proxies(peer: str, forwarded: str, client: str | None) -> None:
    found = client_address(peer, forwarded, PROXIES)
    assert (found and str(found)) == client


def test_who_cannot_be_told_is_nowhere_within() -> None:
    everywhere = networks_of(["0.0.0.0/0", "::/0"])
    assert not within(client_address("", "", ()), everywhere)
    assert within(client_address("203.0.113.9", "", ()), everywhere)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "somewhere", "", "1.2.3"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="appear|host bits|permitted"):
        networks_of([text])

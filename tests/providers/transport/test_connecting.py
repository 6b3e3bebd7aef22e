import asyncio
import contextlib
import socket
from ipaddress import ip_address

import pytest

from providers.transport import (
    AddressRefused,
    ConnectRefused,
    ConnectTimeout,
    NameUnresolved,
    NotSent,
    TlsFailed,
)
from providers.transport.pool import HttpTransport
from providers.transport.resolver import Resolver
from tests.providers.transport.servers import (
    OK,
    answering,
    client_tls,
    on_both_loops,
    post,
    read,
    server_tls,
    serving,
    until,
)


class FixedResolver(Resolver):
    """Knows the addresses of every name."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.addresses = tuple(map(ip_address, addresses))

    async def resolve(self, host):
        return self.addresses


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


async def fails_as(error, transport, request):
    with pytest.raises(error):
        await transport.send(request)
    assert issubclass(error, NotSent)
    await until(lambda: transport.open_connections == 0)


@on_both_loops
async def test_a_refused_connection():
    url = f"http://127.0.0.1:{free_port()}/"
    await fails_as(ConnectRefused, HttpTransport(), post(url))


@on_both_loops
async def test_a_name_without_address():
    for name in ("no-such-host.invalid", "a..b", "a" * 64 + ".com"):
        await fails_as(NameUnresolved, HttpTransport(), post(f"http://{name}/", connect_s=10))


@on_both_loops
async def test_an_untrusted_certificate_and_one_for_another_host():
    async with serving(answering(OK), tls=server_tls("127.0.0.1")) as server:
        await fails_as(TlsFailed, HttpTransport(), post(server.url))
    async with serving(answering(OK), tls=server_tls("example.com")) as server:
        transport = HttpTransport(ssl_context=client_tls())
        await fails_as(TlsFailed, transport, post(server.url))
        assert server.requests == []


@on_both_loops
async def test_a_server_that_speaks_no_tls():
    async with serving(answering(b"")) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NotSent):
            await HttpTransport().send(post(url, connect_s=0.3))


@on_both_loops
async def test_tls_checks_the_name_and_connects_to_the_checked_address():
    async with serving(answering(OK), tls=server_tls("api.example.com")) as server:
        transport = HttpTransport(
            ssl_context=client_tls(), resolver=FixedResolver("127.0.0.2", "127.0.0.1")
        )
        url = server.url.replace("127.0.0.1", "api.example.com")
        for _ in range(3):
            assert await read(await transport.send(post(url))) == b"ok"
        assert server.opened == 1
        assert b"\r\nhost: api.example.com:" in server.requests[0]
        transport.close()


@on_both_loops
async def test_a_large_request_and_a_body_ended_by_close_pass_through_tls():
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    answers = answering(head + bytes(1_000_000), close=True)
    async with serving(answers, tls=server_tls("127.0.0.1")) as server:
        transport = HttpTransport(ssl_context=client_tls())
        sent = await transport.send(post(server.url, body=bytes(5_000_000), first_byte_s=2))
        assert await read(sent) == bytes(1_000_000)
        assert server.requests[0].endswith(bytes(5_000_000))
        await until(lambda: transport.open_connections == 0)


@on_both_loops
async def test_the_next_address_is_tried_when_one_refuses():
    async with serving(answering(OK)) as server:
        transport = HttpTransport(resolver=FixedResolver("127.0.0.2", "127.0.0.1"))
        url = server.url.replace("127.0.0.1", "two-homed.example")
        assert await read(await transport.send(post(url))) == b"ok"


@on_both_loops
async def test_a_full_backlog_is_a_connect_timeout():
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        await fails_as(ConnectTimeout, HttpTransport(), post(url, connect_s=0.2))
        await fails_as(ConnectTimeout, HttpTransport(), post(url, total_s=0.2))


@on_both_loops
async def test_a_handshake_that_is_never_answered_is_a_connect_timeout_and_is_cut():
    def silent(server):
        async def handle(reader, writer):
            while await reader.read(1000):
                pass

        return handle

    async with serving(silent) as server:
        url = server.url.replace("http:", "https:")
        await fails_as(ConnectTimeout, HttpTransport(), post(url, connect_s=0.2))
        await until(lambda: server.opened == server.closed == 1)


@on_both_loops
async def test_private_addresses_are_refused_unless_allowed():
    async with serving(answering(OK)) as server:
        port = server.url.rpartition(":")[2]
        transport = HttpTransport()
        for host in (
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "127.1",
            "0x7f000001",
        ):
            request = post(f"http://{host}:{port}", private_network=False)
            await fails_as(AddressRefused, transport, request)
        assert server.opened == 0
        assert await read(await transport.send(post(server.url))) == b"ok"
        # The kept connection is no way round the rule.
        with pytest.raises(AddressRefused):
            await transport.send(post(server.url, private_network=False))


@on_both_loops
async def test_of_several_addresses_only_public_ones_are_connected():
    resolver = FixedResolver("127.0.0.1", "192.0.2.1")
    async with serving(answering(OK)) as server:
        url = server.url.replace("127.0.0.1", "mixed.example")
        request = post(url, private_network=False)
        await fails_as(AddressRefused, HttpTransport(resolver=resolver), request)
        assert server.opened == 0


@on_both_loops
async def test_an_ipv6_literal():
    async with serving(answering(OK), host="::1") as server:
        assert await read(await HttpTransport().send(post(server.url))) == b"ok"
        assert b"\r\nhost: [::1]:" in server.requests[0]


@on_both_loops
async def test_a_closed_transport_sends_nothing():
    async with serving(answering(OK)) as server:
        transport = HttpTransport()
        await read(await transport.send(post(server.url)))
        transport.close()
        await fails_as(ConnectRefused, transport, post(server.url))
        assert len(server.requests) == 1


@on_both_loops
async def test_literals_and_remembered_names_are_resolved_without_waiting():
    resolver = Resolver(ttl_s=0.2)
    await asyncio.gather(*(resolver.resolve("localhost") for _ in range(20)))
    for host in ("127.0.0.1", "::1", "localhost"):
        with pytest.raises(StopIteration):
            resolver.resolve(host).send(None)
    await asyncio.sleep(0.25)
    asked_again = resolver.resolve("localhost")
    assert asked_again.send(None) is not None
    asked_again.close()

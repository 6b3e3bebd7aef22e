import asyncio
import socket
import threading

import pytest

from providers.transport import ConnectionLost
from providers.transport.pool import HttpTransport
from tests.providers.transport.servers import (
    OK,
    answering,
    on_both_loops,
    post,
    read,
    serving,
    until,
)


async def send_many(transport, url, count):
    """Send `count` requests at once and read their answers."""
    sent = await asyncio.gather(*(transport.send(post(url)) for _ in range(count)))
    return [await read(incoming) for incoming in sent]


@on_both_loops
async def test_a_connection_is_used_again_and_the_last_one_in_is_the_first_out():
    async with serving(answering(OK)) as server:
        transport = HttpTransport(idle_s=0.3)
        assert await send_many(transport, server.url, 5) == [b"ok"] * 5
        assert (server.opened, transport.idle_connections) == (5, 5)
        for _ in range(8):
            await send_many(transport, server.url, 1)
            await asyncio.sleep(0.05)
        # One stays busy; the other four were idle for too long.
        assert (server.opened, transport.open_connections) == (5, 1)
        transport.close()
        await until(lambda: server.closed == 5 and transport.open_connections == 0)


@on_both_loops
async def test_idle_connections_expire_and_are_bounded():
    async with serving(answering(OK)) as server:
        transport = HttpTransport(idle_s=0.1, idle_per_origin=2)
        await send_many(transport, server.url, 5)
        assert transport.idle_connections == 2
        await until(lambda: server.closed == 5)
        assert (transport.idle_connections, transport.open_connections) == (0, 0)


@on_both_loops
async def test_a_connection_the_provider_closes_while_idle_is_not_used_again():
    async with serving(answering(OK, close=True)) as server:
        transport = HttpTransport()
        for sent in (1, 2, 3):
            assert await send_many(transport, server.url, 1) == [b"ok"]
            await until(lambda: transport.open_connections == 0)
            assert server.opened == sent


@on_both_loops
async def test_a_connection_that_says_something_while_idle_is_not_used_again():
    async with serving(answering(OK, b"HTTP/1.1 408 Timeout\r\n\r\n", pause_s=0.05)) as server:
        transport = HttpTransport()
        await send_many(transport, server.url, 1)
        await until(lambda: server.closed == 1)
        assert await send_many(transport, server.url, 1) == [b"ok"]


@on_both_loops
async def test_a_close_that_the_loop_has_not_noticed_yet_costs_no_request():
    listening = socket.create_server(("127.0.0.1", 0))
    close_now, closed = threading.Event(), threading.Event()

    def serve():
        for _ in range(2):
            accepted, _ = listening.accept()
            accepted.recv(65536)
            accepted.sendall(OK)
            close_now.wait(5)
            accepted.close()
            closed.set()

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    transport = HttpTransport()
    assert await send_many(transport, url, 1) == [b"ok"]
    assert transport.idle_connections == 1
    close_now.set()
    closed.wait(5)
    assert await read(await transport.send(post(url))) == b"ok"
    thread.join()
    listening.close()


@on_both_loops
async def test_a_close_after_the_request_was_written_may_have_been_billed():
    def answer_once(server):
        async def handle(reader, writer):
            await server.read_request(reader)
            writer.write(OK)
            await server.read_request(reader)

        return handle

    async with serving(answer_once) as server:
        transport = HttpTransport()
        await send_many(transport, server.url, 1)
        with pytest.raises(ConnectionLost):
            await transport.send(post(server.url))
        assert (len(server.requests), server.opened) == (2, 1)


@on_both_loops
async def test_the_providers_own_keep_alive_time_is_heeded():
    for header, kept in ((b"timeout=1", 0), (b"timeout=5, max=9", 1), (b"max=9", 1)):
        answer = OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: " + header + b"\r\n\r\n")
        async with serving(answering(answer)) as server:
            transport = HttpTransport()
            await send_many(transport, server.url, 1)
            assert transport.idle_connections == kept


@on_both_loops
async def test_requests_that_read_nothing_do_not_hold_connections():
    async with serving(answering(OK)) as server:
        transport = HttpTransport()
        for _ in range(10):
            incoming = await transport.send(post(server.url))
            await until(lambda: transport.idle_connections == 1)
            incoming.close()
            incoming.close()
        assert server.opened == 1
        assert await read(incoming) == b"ok"

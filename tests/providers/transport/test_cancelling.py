import asyncio
import contextlib

import pytest

from providers.transport import ConnectionLost, NeverSent
from providers.transport.pool import HttpTransport
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

ENDLESS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nhi\r\n"


async def cancel(task):
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def reading(transport, request):
    await read(await transport.send(request))


@on_both_loops
async def test_a_send_cancelled_while_it_waits_closes_the_upstream():
    for tls in (None, server_tls("127.0.0.1")):
        async with serving(answering(b"", pause_s=5), tls=tls) as server:
            transport = HttpTransport(ssl_context=client_tls())
            task = asyncio.create_task(transport.send(post(server.url)))
            await until(lambda server=server: len(server.requests) == 1)
            await cancel(task)
            await until(lambda transport=transport: transport.open_connections == 0)


@on_both_loops
async def test_a_read_cancelled_in_the_middle_can_go_on_until_it_is_closed():
    closed = []

    def streaming(server):
        async def handle(reader, writer):
            await server.read_request(reader)
            writer.write(b"".join(ENDLESS))
            closed.append(await reader.read())

        return handle

    for tls in (None, server_tls("127.0.0.1")):
        async with serving(streaming, tls=tls) as server:
            transport = HttpTransport(ssl_context=client_tls())
            incoming = await transport.send(post(server.url))
            task = asyncio.create_task(read(incoming))
            await asyncio.sleep(0.1)
            await cancel(task)
            await asyncio.sleep(0.1)
            assert server.closed == 0
            incoming.close()
            await until(lambda server=server: server.closed == 1)
            assert transport.open_connections == 0


@on_both_loops
async def test_closing_an_unfinished_response_closes_the_upstream():
    async with serving(answering(*ENDLESS, pause_s=0.05)) as server:
        transport = HttpTransport()
        incoming = await transport.send(post(server.url))
        assert await incoming.chunk() == b"hi"
        incoming.close()
        incoming.close()
        with pytest.raises(ConnectionLost):
            await incoming.chunk()
        await until(lambda: transport.open_connections == 0)


@on_both_loops
async def test_a_generator_that_is_closed_in_the_middle_closes_the_upstream():
    async def pieces(incoming):
        try:
            while piece := await incoming.chunk():
                yield piece
        finally:
            incoming.close()

    async with serving(answering(*ENDLESS, pause_s=0.05)) as server:
        transport = HttpTransport()
        relay = pieces(await transport.send(post(server.url)))
        assert await anext(relay) == b"hi"
        await relay.aclose()
        await until(lambda: transport.open_connections == 0)


@on_both_loops
async def test_thirty_requests_cancelled_at_once_leak_nothing_and_are_not_sent():
    async with serving(answering(OK)) as server:
        transport = HttpTransport()
        await reading(transport, post(server.url))
        for turns in range(6):
            tasks = [asyncio.create_task(reading(transport, post(server.url))) for _ in range(30)]
            for _ in range(turns):
                await asyncio.sleep(0)
            sent = len(server.requests)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await until(lambda: transport.open_connections == transport.idle_connections)
            await asyncio.sleep(0.05)
            assert transport.open_connections == server.opened - server.closed
            arrived = len(server.requests)
            # In the first turns only the kept connection can have carried a request.
            assert arrived - sent <= (1 if turns < 2 else 30)
            await asyncio.sleep(0.05)
            assert len(server.requests) == arrived
        assert await read(await transport.send(post(server.url))) == b"ok"


@on_both_loops
async def test_requests_cancelled_during_the_handshake_are_cut_at_once():
    received = []

    def silent(server):
        async def handle(reader, writer):
            received.append(await reader.read(10_000))
            received.append(await reader.read())

        return handle

    async with serving(silent) as server:
        transport = HttpTransport()
        request = post(server.url.replace("http:", "https:"))
        tasks = [asyncio.create_task(transport.send(request)) for _ in range(5)]
        await until(lambda: len(received) == 5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert transport.open_connections == 0
        await until(lambda: server.closed == 5)
        # A greeting each, then the end.
        assert [bool(data) for data in received] == [True] * 5 + [False] * 5


@on_both_loops
async def test_one_cancelled_caller_does_not_spoil_a_name_for_the_others():
    async with serving(answering(OK)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        transport = HttpTransport()
        tasks = [asyncio.create_task(transport.send(post(url))) for _ in range(3)]
        await asyncio.sleep(0)
        await cancel(tasks[0])
        assert [await read(await task) for task in tasks[1:]] == [b"ok", b"ok"]
        assert len(server.requests) == 2


@on_both_loops
async def test_cancelling_after_the_response_is_complete_does_not_touch_the_next_exchange():
    async with serving(answering(OK)) as server:
        transport = HttpTransport()
        await reading(transport, post(server.url))
        first = asyncio.create_task(transport.send(post(server.url)))
        await until(lambda: len(server.requests) == 2)
        for _ in range(100):
            if transport.idle_connections or first.done():
                break
            await asyncio.sleep(0)
        second = asyncio.create_task(transport.send(post(server.url)))
        await cancel(first)
        assert await read(await second) == b"ok"
        assert server.opened == 1


@on_both_loops
async def test_who_is_cancelled_knows_whether_anything_was_sent():
    sent = {}

    async def sending(name, transport, url):
        try:
            await transport.send(post(url))
        except asyncio.CancelledError as gone:
            sent[name] = not isinstance(gone, NeverSent)
            raise

    async with serving(answering(b"", pause_s=5)) as server:
        transport = HttpTransport(ssl_context=client_tls())
        urls = {"shaking hands": server.url.replace("http", "https"), "waiting": server.url}
        tasks = [asyncio.create_task(sending(n, transport, url)) for n, url in urls.items()]
        await until(lambda: server.opened == 2 and len(server.requests) == 1)
        for task in tasks:
            await cancel(task)
        assert sent == {"shaking hands": False, "waiting": True}

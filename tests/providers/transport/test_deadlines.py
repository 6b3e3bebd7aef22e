import asyncio

import pytest

from providers.transport import FirstByteTimeout, IdleTimeout, TotalTimeout
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

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"


async def seconds_until(error, awaitable) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(error):
        await awaitable
    return loop.time() - began


@on_both_loops
async def test_a_silent_provider_is_a_first_byte_timeout_and_is_cut():
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    for pieces in ((b"",), (b"HTTP/1.1 200 OK\r\nx-a",), (interim, interim)):
        async with serving(answering(*pieces, pause_s=0.05)) as server:
            transport = HttpTransport()
            sending = transport.send(post(server.url, first_byte_s=0.2))
            assert 0.15 < await seconds_until(FirstByteTimeout, sending) < 0.6
            await until(lambda transport=transport: transport.open_connections == 0)
            await until(lambda server=server: server.closed == 1)


@on_both_loops
async def test_silence_in_the_middle_is_an_idle_timeout():
    async with serving(answering(HEAD + b"some", pause_s=5)) as server:
        incoming = await HttpTransport().send(post(server.url, idle_s=0.2))
        assert await incoming.chunk() == b"some"
        assert 0.15 < await seconds_until(IdleTimeout, incoming.chunk()) < 0.6
        await until(lambda: server.closed == 1)


@on_both_loops
async def test_each_piece_starts_the_idle_time_anew():
    async with serving(answering(HEAD, *[bytes(10)] * 10, pause_s=0.05)) as server:
        incoming = await HttpTransport().send(post(server.url, idle_s=0.15))
        assert len(await read(incoming)) == 100


@on_both_loops
async def test_a_slow_reader_is_not_an_idle_provider():
    async with serving(answering(HEAD + bytes(50), bytes(50), pause_s=0.3)) as server:
        incoming = await HttpTransport().send(post(server.url, idle_s=0.2))
        await asyncio.sleep(0.4)
        assert len(await read(incoming)) == 100


@on_both_loops
async def test_the_whole_request_has_one_deadline():
    async with serving(answering(b"", pause_s=5)) as server:
        sending = HttpTransport().send(post(server.url, total_s=0.2))
        assert 0.15 < await seconds_until(TotalTimeout, sending) < 0.6
    async with serving(answering(HEAD, *[b"x"] * 100, pause_s=0.02)) as server:
        incoming = await HttpTransport().send(post(server.url, total_s=0.2))
        assert 0.1 < await seconds_until(TotalTimeout, read(incoming)) < 0.6
        await until(lambda: server.closed == 1)


@on_both_loops
async def test_the_whole_requests_deadline_holds_while_nobody_reads():
    async with serving(answering(HEAD + b"some", pause_s=5)) as server:
        incoming = await HttpTransport().send(post(server.url, total_s=0.2))
        await until(lambda: server.closed == 1)
        assert await incoming.chunk() == b"some"
        with pytest.raises(TotalTimeout):
            await incoming.chunk()


@on_both_loops
async def test_the_first_byte_is_waited_for_from_the_end_of_the_upload():
    def slow_to_read(server):
        async def handle(reader, writer):
            await asyncio.sleep(0.4)
            await server.read_request(reader)
            writer.write(OK)

        return handle

    async with serving(slow_to_read) as server:
        request = post(server.url, body=bytes(20_000_000), first_byte_s=0.3)
        assert await read(await HttpTransport().send(request)) == b"ok"


@on_both_loops
async def test_deadlines_of_one_request_are_not_those_of_the_next():
    def slow_the_second_time(server):
        async def handle(reader, writer):
            for wait_s in (0, 0.3, 5):
                await server.read_request(reader)
                await asyncio.sleep(wait_s)
                writer.write(OK)

        return handle

    async with serving(slow_the_second_time) as server:
        transport = HttpTransport()
        await read(await transport.send(post(server.url, first_byte_s=0.1, total_s=0.2)))
        await read(await transport.send(post(server.url)))
        sending = transport.send(post(server.url, first_byte_s=0.1))
        assert 0.05 < await seconds_until(FirstByteTimeout, sending) < 0.4
        assert server.opened == 1

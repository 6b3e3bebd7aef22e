import asyncio

from providers.transport.pool import HttpTransport
from tests.providers.transport.servers import (
    client_tls,
    on_both_loops,
    post,
    read,
    server_tls,
    serving,
)

SIZE = 50_000_000
PIECE = bytes(100_000)


def flooding(server):
    async def handle(reader, writer):
        await server.read_request(reader)
        writer.transport.set_write_buffer_limits(high=1)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
        server.written = 0
        while server.written < SIZE:
            writer.write(PIECE)
            await writer.drain()
            server.written += len(PIECE)
        await reader.read()

    return handle


async def flood(tls, ssl_context):
    async with serving(flooding, tls=tls) as server:
        transport = HttpTransport(ssl_context=ssl_context)
        incoming = await transport.send(post(server.url))
        await asyncio.sleep(0.3)
        # What the sockets of both ends hold, and our own 256 KB.
        assert server.written < 10_000_000
        assert incoming.queued_bytes < 600_000
        first = await incoming.chunk()
        assert 256 * 1024 < len(first) < 600_000
        assert len(first) + len(await read(incoming)) == SIZE
        assert transport.idle_connections == 1


@on_both_loops
async def test_a_slow_reader_slows_the_upstream():
    await flood(None, None)


@on_both_loops
async def test_a_slow_reader_slows_the_upstream_through_tls():
    await flood(server_tls("127.0.0.1"), client_tls())

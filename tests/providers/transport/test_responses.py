import asyncio
import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.transport import ConnectionLost, ProtocolBroken
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

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n"
    b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


async def answer(*pieces, pause_s=0.0, close=False, **timeouts):
    """Return the response's status, headers and whole body, and the connections left over."""
    async with serving(answering(*pieces, pause_s=pause_s, close=close)) as server:
        transport = HttpTransport()
        incoming = await transport.send(post(server.url, **timeouts))
        body = await read(incoming)
        idle = transport.idle_connections
        transport.close()
        return incoming.status, incoming.headers, body, idle


@on_both_loops
async def test_a_body_of_known_length_is_read_and_the_connection_kept():
    assert await answer(OK) == (200, {"content-length": "2"}, b"ok", 1)


@on_both_loops
async def test_a_chunked_body_is_read_and_its_trailers_are_not_headers():
    status, headers, body, idle = await answer(CHUNKED)
    assert (status, body, idle) == (200, b"hello world", 1)
    assert headers == {"transfer-encoding": "chunked", "x-empty": ""}


@on_both_loops
async def test_a_chunked_body_torn_at_every_byte_is_whole():
    async with serving(answering(*(bytes([b]) for b in CHUNKED), pause_s=0.0005)) as server:
        transport = HttpTransport()
        assert await read(await transport.send(post(server.url))) == b"hello world"
        assert await read(await transport.send(post(server.url))) == b"hello world"
        assert server.opened == 1


@on_both_loops
async def test_a_body_without_length_ends_with_its_connection():
    pieces = b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\nfirst ", b"second"
    assert await answer(*pieces, pause_s=0.01, close=True) == (
        *(200, {"x-a": "1"}, b"first second"),
        0,
    )


@on_both_loops
async def test_interim_responses_are_skipped():
    interim = b"HTTP/1.1 100 Continue\r\nx-a: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    assert await answer(interim, OK, pause_s=0.01) == (200, {"content-length": "2"}, b"ok", 1)


@on_both_loops
async def test_no_content_and_redirects_are_returned_as_they_are():
    assert await answer(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, {}, b"", 1)
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    status, headers, _, _ = await answer(moved)
    assert (status, headers["location"]) == (307, "http://127.0.0.1:1/")


@on_both_loops
async def test_connection_close_is_heeded():
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    assert (await answer(closing))[2:] == (b"ok", 0)


@on_both_loops
async def test_bytes_after_the_end_spoil_the_connection_and_not_the_answer():
    assert (await answer(OK + b"junk"))[2:] == (b"ok", 0)
    assert (await answer(OK + OK))[2:] == (b"ok", 0)
    assert (await answer(OK, b"late junk", pause_s=0.01))[2] == b"ok"


@on_both_loops
async def test_truncated_bodies_are_lost_connections_after_what_did_come():
    for head in (b"Content-Length: 10", b"Transfer-Encoding: chunked"):
        piece = b"5\r\nhello\r\n" if b"chunked" in head else b"hello"
        response = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + piece
        async with serving(answering(response, close=True)) as server:
            transport = HttpTransport()
            incoming = await transport.send(post(server.url))
            assert await incoming.chunk() == b"hello"
            with pytest.raises(ConnectionLost):
                await incoming.chunk()
            with pytest.raises(ConnectionLost):
                await incoming.chunk()
            await until(lambda transport=transport: transport.open_connections == 0)


@on_both_loops
async def test_a_connection_cut_before_the_head_is_lost():
    for piece in (b"", b"HTTP/1.1 200 OK\r\ncontent-le"):
        with pytest.raises(ConnectionLost, match="before the response"):
            await answer(piece, close=True)


@on_both_loops
async def test_garbage_is_broken_protocol():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    both = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
    upgrade = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nok"
    garbage = (b"220 smtp ready\r\n", b"\x16\x03\x01\x02\x00", chunked + b"zz\r\n", both, upgrade)
    for piece in garbage:
        with pytest.raises(ProtocolBroken):
            await answer(piece, first_byte_s=2)


@on_both_loops
async def test_a_head_or_trailer_over_64_kb_is_broken_protocol():
    long = b"x-long: " + b"a" * 70_000 + b"\r\n"
    with pytest.raises(ProtocolBroken):
        await answer(b"HTTP/1.1 200 OK\r\n" + long + b"content-length: 2\r\n\r\nok")
    with pytest.raises(ProtocolBroken):
        await answer(b"HTTP/1.1 200 OK\r\n", *[b"x-a: " + b"a" * 9_000 + b"\r\n"] * 9)
    with pytest.raises(ProtocolBroken):
        await answer(CHUNKED[:-4] + b"a" * 10_000, *[b"a" * 9_000] * 9, pause_s=0.01)


@on_both_loops
async def test_a_long_body_that_comes_with_its_head_is_no_long_head():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
    assert (await answer(head + bytes(200_000)))[2:] == (bytes(200_000), 1)


@on_both_loops
async def test_a_compressed_body_is_decoded_in_bounded_pieces():
    body = b"data: {}\n\n" * 500_000
    for encoding, packed in (
        ("gzip", gzip.compress(body[:-4]) + gzip.compress(body[-4:])),
        ("deflate", zlib.compress(body)),
        ("deflate", zlib.compress(body)[2:-4]),
    ):
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}"
        pieces = head.encode() + b"\r\n\r\n" + packed[:1], packed[1:100], packed[100:]
        async with serving(answering(*pieces, pause_s=0.01)) as server:
            incoming = await HttpTransport().send(post(server.url))
            sizes, got = [], []
            while piece := await incoming.chunk():
                sizes.append(len(piece))
                got.append(piece)
            assert b"".join(got) == body
            assert max(sizes) <= 256 * 1024


@on_both_loops
async def test_a_compressed_body_that_lies_is_broken_protocol():
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
    for body in (b"not compressed at all"[:20], gzip.compress(b"x" * 1000)[:20]):
        with pytest.raises(ProtocolBroken):
            await answer(head + body)


@on_both_loops
async def test_an_answer_before_the_request_is_written_is_delivered_without_keeping():
    def make_handler(server):
        async def handle(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            await asyncio.sleep(5)

        return handle

    async with serving(make_handler) as server:
        transport = HttpTransport()
        incoming = await transport.send(post(server.url, body=bytes(30_000_000)))
        assert (incoming.status, await read(incoming)) == (413, b"no")
        assert transport.idle_connections == 0


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(1, len(CHUNKED) * 2 - 1), max_size=12), st.booleans())
def test_a_response_may_be_split_anywhere(cuts, chunked):
    counted = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    whole = interim + (CHUNKED if chunked else counted)
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    status, _, body, idle = asyncio.run(answer(*pieces, pause_s=0.0003))
    assert (status, body, idle) == (200, b"hello world", 1)

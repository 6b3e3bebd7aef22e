"""A client that reads slowly slows the provider down; the gateway's memory does not fill up."""

import socket
import time
from contextlib import ExitStack

from tests.gatewayz.streaming.line import DONE, Line, ask, dialled, events, still, text
from tests.upstreams.chat import Chat
from tests.upstreams.stream import Flood, Stream
from tests.world.processes import rss_bytes

MEGABYTE = 2**20
MOST_PER_STREAM = 10 * MEGABYTE  # measured: 4, most of it in the sockets on both sides
READERS = 8


def test_who_reads_nothing_stops_the_provider(line: Line):
    model = line.model(Flood())
    [pid] = line.gateway.worker_pids()
    before = rss_bytes(pid)
    with ExitStack() as leaving:
        for _ in range(READERS):
            leaving.enter_context(dialled(line.gateway, ask(model), receive_bytes=65536))
        written = [still(seen) for seen in line.seen(model, READERS)]
        grown = rss_bytes(pid) - before
        assert text(events(line.stream(line.model(Stream(Chat("Quick")))))) == "Quick"
    assert min(written) > 0
    assert max(written) < MOST_PER_STREAM  # the sockets' buffers on both sides, and ours
    assert grown < READERS * MOST_PER_STREAM / 2


def test_who_reads_on_lets_the_provider_write_on(line: Line):
    model = line.model(Flood())
    with dialled(line.gateway, ask(model), receive_bytes=65536) as sock:
        [seen] = line.seen(model)
        before = still(seen)
        taken = 0
        while taken < 3 * before:
            taken += len(sock.recv(65536))
        assert seen.bytes_written > before
        assert still(seen) - taken < MOST_PER_STREAM


def test_a_large_event_that_nobody_reads_is_held_once(line: Line):
    model = line.model(Flood(size=2 * MEGABYTE))
    [pid] = line.gateway.worker_pids()
    before = rss_bytes(pid)
    with ExitStack() as leaving:
        for _ in range(4):
            leaving.enter_context(dialled(line.gateway, ask(model), receive_bytes=65536))
        written = [still(seen) for seen in line.seen(model, 4)]
        grown = rss_bytes(pid) - before
    assert max(written) < 2 * MOST_PER_STREAM
    assert grown < 4 * MOST_PER_STREAM


def test_a_slow_reader_gets_all_of_it(line: Line):
    total = 6 * MEGABYTE
    model = line.model(Flood(total=total))
    with dialled(line.gateway, ask(model), receive_bytes=65536) as sock:
        whole = b"".join(slowly(sock))
    [seen] = line.seen(model)
    assert whole.count(b"data: ") == whole.count(b"\n\n") == seen.bytes_written // 65536 + 1
    assert whole.count(b"x" * 65536) == whole.count(b"data: ") - 1


def slowly(sock: socket.socket):
    """Yield the body's bytes without their framing, a pause now and then."""
    stream = sock.makefile("rb")
    while stream.readline() != b"\r\n":
        pass
    pauses = 0
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        stream.readline()
        if pauses < 20:
            time.sleep(0.02)
            pauses += 1


def test_done_is_the_last_that_a_slow_reader_gets(line: Line):
    model = line.model(Flood(total=MEGABYTE))
    with dialled(line.gateway, ask(model), receive_bytes=65536) as sock:
        assert b"".join(slowly(sock)).endswith(DONE)
    [row] = line.usage(model)
    assert row["outcome"] == "answered"

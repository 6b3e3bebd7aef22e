"""How a stream of bytes becomes events."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sse import EventSplitter, EventTooLarge, data_of, event_name

PIECES = st.sampled_from(
    [
        *(b"data: a", b"data:b", b"data", b"event: x", b": ping", b":", b"id: 1", b"data: {}\n\n"),
        *(b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n"),
        *("data: é€𝄞".encode(), b"\xef\xbb\xbf", b"\xff", b"x"),
    ]
)
STREAMS = st.lists(PIECES, max_size=25).map(b"".join)


def split(stream: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    splitter, blocks, start = EventSplitter(), [], 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        blocks += splitter.feed(stream[start:cut])
        start = cut
    return blocks, splitter.rest()


def reference(stream: bytes) -> list[tuple[bytes, bytes]]:
    """Data and name of each event, line by line as the HTML standard says."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, data, name = [], [], b""
    for line in text.split(b"\n")[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line and data:
            events.append((b"\n".join(data), name))
        if not line:
            data, name = [], b""
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return events


@given(STREAMS, st.lists(st.integers(0, 500), max_size=12))
def test_any_split_of_any_stream_gives_the_same_blocks(stream, cuts):
    assert split(stream, cuts) == split(stream, [])


@given(STREAMS)
def test_a_stream_cut_at_every_byte_gives_the_same_blocks(stream):
    assert split(stream, list(range(len(stream)))) == split(stream, [])


@given(STREAMS, st.lists(st.integers(0, 500), max_size=12))
def test_nothing_is_lost_but_the_byte_order_mark(stream, cuts):
    blocks, rest = split(stream, cuts)
    assert b"".join(blocks) + rest == stream.removeprefix(b"\xef\xbb\xbf") or rest == stream


@given(STREAMS)
def test_the_events_are_those_of_the_standard(stream):
    stream += b"\n\n\n"  # ends every open event, whichever line end it was waiting for
    blocks, rest = split(stream, [])
    events = [(data_of(block), event_name(block)) for block in blocks]
    assert [event for event in events if event[0] is not None] == reference(stream)
    assert rest == b""


def test_several_events_in_one_packet_come_out_one_by_one():
    splitter = EventSplitter()
    assert splitter.feed(b"data: 1\n\ndata: 2\n\ndata: 3") == [b"data: 1\n\n", b"data: 2\n\n"]
    assert splitter.rest() == b"data: 3"


def test_a_keep_alive_does_not_wait_for_the_next_event():
    splitter = EventSplitter()
    assert splitter.feed(b": OPENROUTER PROCESSING\n") == [b": OPENROUTER PROCESSING\n"]
    assert splitter.feed(b"\ndata: 1\n\n") == [b"\n", b"data: 1\n\n"]


def test_a_comment_within_an_event_stays_in_it():
    assert EventSplitter().feed(b"data: 1\n: so\ndata: 2\n\n") == [b"data: 1\n: so\ndata: 2\n\n"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_event_leaves_with_its_last_byte_whatever_the_line_end(end):
    event = b"event: x" + end + b"data: 1" + end + b"data: 2" + end + end
    splitter = EventSplitter()
    assert splitter.feed(event[:-1]) == []
    assert splitter.feed(event[-1:]) == [event]
    assert (data_of(event), event_name(event)) == (b"1\n2", b"x")


def test_a_byte_order_mark_is_dropped_even_when_it_is_cut():
    splitter = EventSplitter()
    assert splitter.feed(b"\xef") == splitter.feed(b"\xbb") == []
    assert splitter.feed(b"\xbfdata: 1\n\n") == [b"data: 1\n\n"]


@pytest.mark.parametrize("size", [1, 7, 200])
def test_an_event_that_is_too_large_is_refused(size):
    splitter = EventSplitter(limit=100)
    event = b"data: " + b"x" * 100 + b"\n\n"
    pieces = [event[start : start + size] for start in range(0, len(event), size)]
    with pytest.raises(EventTooLarge):
        [splitter.feed(piece) for piece in pieces]


def test_an_event_of_a_megabyte_in_small_pieces_is_not_scanned_again_and_again():
    def seconds(pieces: int) -> float:
        splitter, began = EventSplitter(), time.process_time()
        for _ in range(pieces):
            splitter.feed(b"x" * 1024)
        assert len(splitter.feed(b"\n\n")) == 1
        return time.process_time() - began

    assert min(seconds(4096) for _ in range(3)) < 20 * min(seconds(1024) for _ in range(3)) + 0.01


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"data:  two\n\n", b" two"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data\n\n", b""),
        (b"data: cut", b"cut"),
        (b": ping\n\n", None),
        (b"event: ping\n\n", None),
        (b"id: 7\nretry: 3\n\n", None),
        (b"database: x\n\n", None),
        (b"\n", None),
        (b"", None),
    ],
)
def test_data_of_a_block(block, data):
    assert data_of(block) == data


@given(STREAMS, st.lists(st.integers(0, 500), max_size=12))
def test_a_lone_event_is_what_feeding_it_would_have_given(stream, cuts):
    splitter, start = EventSplitter(), 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        chunk, start = stream[start:cut], cut
        alone = splitter.lone(chunk)
        blocks = splitter.feed(chunk)
        assert alone is None or [alone] == [data_of(block) for block in blocks]


def test_most_chunks_are_a_lone_event():
    splitter = EventSplitter()
    assert splitter.lone(b"data: a\n\n") is None  # a byte order mark might come
    splitter.feed(b"data: a\n\n")
    assert splitter.lone(b"data: b\n\n") == b"b"

"""Server-Sent Events as bytes: where one ends, and what data it carries.

The grammar is that of the HTML standard, section 9.2.5, with one addition: a comment line between
two events is a block of its own, because keep-alives must not wait for the next event.
"""

import re

LIMIT_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"

# A CR may be the first half of a CRLF, so it ends a line only once the next byte is known. The one
# exception is a blank line after a bare CR: there the provider writes no LFs, and nothing waits.
LINE_END = re.compile(rb"\n|\r\n|\r(?=[^\n])")
EVENT_END = re.compile(rb"\n\n|\n\r\n|\r\r|\n\r(?=[^\n])")
OVERLAP = 3  # bytes of EVENT_END that an earlier piece may have brought already


class EventTooLarge(ValueError):
    """One event passed the limit; the stream cannot be followed further."""


class EventSplitter:
    """Cuts a stream into blocks, whatever the packets were.

    A block is an event with its blank line, a comment line, or a stray blank line. Joined, the
    blocks and the rest are the stream without its byte order mark.
    """

    __slots__ = ("_buffer", "_has_cr", "_idle", "_limit", "_scanned", "_started")

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0
        self._started = False
        self._has_cr = False
        self._idle = False  # past the start, and nothing buffered

    def lone(self, chunk: bytes) -> bytes | None:
        """Return the data of a chunk that is one event with one line, as most are; None: feed it.

        Searches are by `find`: CPython's `in` raises and swallows an error for each of bytes.
        """
        if (
            self._idle
            and chunk.startswith(b"data: ")
            and chunk.endswith(b"\n\n")
            and chunk.find(b"\n") == len(chunk) - 2
            and chunk.find(b"\r") < 0
            and len(chunk) <= self._limit
        ):
            return chunk[6:-2]
        return None

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the blocks that `chunk` completes; raises EventTooLarge."""
        if (
            self._idle
            and chunk.endswith(b"\n\n")
            and chunk[0] not in b":\n"
            and chunk.find(b"\r") < 0
            and chunk.find(b"\n\n\n") < 0
            and chunk.find(b"\n\n:") < 0
            and len(chunk) <= self._limit
        ):
            return [event + b"\n\n" for event in chunk[:-2].split(b"\n\n")]
        self._has_cr = self._has_cr or b"\r" in chunk
        self._buffer += chunk
        if not self._started and not self._start():
            return []
        blocks = self._cut()
        self._idle = not self._buffer
        return blocks

    def rest(self) -> bytes:
        """Return what the last block left over, and forget it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return rest

    def _start(self) -> bool:
        """Drop the byte order mark; False while it is not known whether there is one."""
        if len(self._buffer) < len(BOM) and BOM.startswith(self._buffer):
            return False
        if self._buffer.startswith(BOM):
            del self._buffer[: len(BOM)]
        self._started = True
        return True

    def _cut(self) -> list[bytes]:
        buffer, blocks, start = self._buffer, [], 0
        scanned, size = self._scanned, len(self._buffer)
        while start < size:
            end = self._end(start, max(start, scanned))
            if end < 0:
                break
            if end - start > self._limit:
                raise EventTooLarge
            blocks.append(bytes(buffer[start:end]))
            start = end
        del buffer[:start]
        if len(buffer) > self._limit:
            raise EventTooLarge
        self._scanned = max(0, len(buffer) - OVERLAP)
        return blocks

    def _end(self, start: int, scan: int) -> int:
        """Return where the block at `start` ends, searching from `scan`; -1: not yet."""
        single = self._buffer[start] in b":\r\n"
        if self._has_cr:
            match = (LINE_END if single else EVENT_END).search(self._buffer, scan)
            return match.end() if match else -1
        mark = b"\n" if single else b"\n\n"
        found = self._buffer.find(mark, scan)
        return found if found < 0 else found + len(mark)


def data_of(block: bytes) -> bytes | None:
    """Return the event's data, its lines joined by LF; None for a block that has none."""
    if (
        block.startswith(b"data: ")
        and block.find(b"\n") == len(block) - 2
        and block.find(b"\r") < 0
    ):
        return block[6:-2]
    lines = _values(block, b"data")
    return b"\n".join(lines) if lines else None


def event_name(block: bytes) -> bytes:
    """Return the value of the event's last `event` line, b"" when it has none."""
    if b"event" not in block:
        return b""
    names = _values(block, b"event")
    return names[-1] if names else b""


def _values(block: bytes, field: bytes) -> list[bytes]:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    values = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == field:
            values.append(value[1:] if value.startswith(b" ") else value)
    return values

"""Bodies that come compressed although nobody asked for that."""

import zlib

# The most that one call returns, however small the input it comes from.
MOST_BYTES = 256 * 1024

_GZIP, _ZLIB, _RAW = 31, 15, -15
_WINDOW_BITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class Inflater:
    """Decodes gzip (several members too) and deflate (with and without zlib's wrapping)."""

    def __init__(self, encoding: str) -> None:
        self._bits = _WINDOW_BITS[encoding]
        self._decoder = zlib.decompressobj(self._bits)
        self._started = False
        self._input = b""

    @staticmethod
    def knows(encoding: str) -> bool:
        return encoding in _WINDOW_BITS

    @property
    def finished(self) -> bool:
        """Whether the input may end here."""
        return self._decoder.eof if self._started else not self._input

    def feed(self, data: bytes) -> None:
        self._input += data

    def take(self) -> bytes:
        """Return at most MOST_BYTES, b"" when more input is needed; raises zlib.error."""
        if not self._started and not self._start():
            return b""
        while self._input:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(self._bits)
            decoded = self._decoder.decompress(self._input, MOST_BYTES)
            self._input = self._decoder.unconsumed_tail or self._decoder.unused_data
            if decoded:
                return decoded
        # zlib may hold back output of input that it has taken in full.
        return b"" if self._decoder.eof else self._decoder.decompress(b"", MOST_BYTES)

    def _start(self) -> bool:
        """Tell by the first two bytes whether `deflate` means zlib's wrapping or none."""
        if len(self._input) < 2:
            return False
        method, check = self._input[0] & 15, int.from_bytes(self._input[:2]) % 31
        if self._bits == _ZLIB and (method != zlib.DEFLATED or check):
            self._bits = _RAW
            self._decoder = zlib.decompressobj(_RAW)
        self._started = True
        return True

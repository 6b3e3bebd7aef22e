"""Puts a model's name back into the text of an answer, without writing the rest anew."""

import msgspec

KEY = b'"model"'


class Renaming:
    """`name` is the JSON of the name to give.

    It looks at the text alone, so it dares only what cannot be misread: a text with a single
    `"model"` in it, followed by the value that a decoder found there. In valid JSON those seven
    bytes are a key, or end one; inside of a string their quotes would be escaped.
    """

    __slots__ = ("_found", "_new", "_old")

    def __init__(self, name: bytes) -> None:
        self._new = KEY + b":" + name
        self._found = self._old = b""

    def apply(self, text: bytes, found: msgspec.Raw) -> bytes | None:
        """Return `text` with the new name in place of `found`, None where that is not certain."""
        value = bytes(found)
        if value != self._found:
            self._found, self._old = value, KEY + b":" + value
            if self._old not in text:
                self._old = KEY + b": " + value
        at = text.find(self._old)
        if at < 0 or text.count(KEY) != 1:
            return None
        return text[:at] + self._new + text[at + len(self._old) :]

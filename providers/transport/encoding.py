"""From a request to the bytes on the wire."""

import re
from functools import lru_cache

from providers.transport.targets import Target

Headers = tuple[tuple[str, str], ...]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(r"[\r\n\0]")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_BODILESS = frozenset({"GET", "DELETE", "OPTIONS"})
_UNSUPPORTED = frozenset({"HEAD", "CONNECT"})


def encode_request(method: str, target: Target, headers: Headers, body: bytes) -> bytes:
    """Return head and body as one piece; raises ValueError if the head could be misread."""
    head = _encode_head(method, target, headers)
    if not body and method in _BODILESS:
        return head + b"\r\n"
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


@lru_cache(maxsize=1024)
def _encode_head(method: str, target: Target, headers: Headers) -> bytes:
    if not _TOKEN.fullmatch(method) or method in _UNSUPPORTED:
        raise ValueError(f"{method!r} is not a method that this transport sends")
    lines = [f"{method} {target.path} HTTP/1.1", f"host: {target.authority}"]
    lines += [_encode_header(name, value) for name, value in headers]
    return "\r\n".join((*lines, "")).encode("latin-1")


def _encode_header(name: str, value: str) -> str:
    """Values stay out of the error's text: they may be secrets."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    if name.lower() in _OURS:
        raise ValueError(f"{name!r} is set by the transport")
    if _UNSAFE.search(value):
        raise ValueError(f"the value of {name!r} holds a line break or NUL")
    return f"{name}: {value}"

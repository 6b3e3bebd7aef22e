"""From a URL to where a request goes."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Target:
    """`host` has no brackets; `authority` is the Host header; `path` includes the query."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What two targets share when a connection to one serves the other."""
        return self.secure, self.host, self.port


@lru_cache(maxsize=2048)
def parse_target(url: str) -> Target:
    """Return the target of an absolute http or https URL in visible ASCII; raises ValueError.

    User information and fragments are refused: neither belongs into a provider's address.
    """
    # urlsplit drops line breaks and tabs silently, so they are looked for before it.
    if not _VISIBLE.fullmatch(url):
        raise ValueError("a URL is of visible ASCII characters only")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("a URL starts with http:// or https://")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("a URL carries neither user information nor a fragment")
    if not parts.hostname or parts.port == 0:
        raise ValueError("a URL names a host, and a port above 0 if any")
    host, usual = parts.hostname, _PORTS[parts.scheme]
    port = parts.port or usual
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == usual else f"{shown}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, authority, path)

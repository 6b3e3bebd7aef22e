"""Answers whose bytes are there already: as they are, gzipped, or not at all if they are known."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b

from rest_framework.request import Request

from gatewayz.api.answers import Whole
from gatewayz.api.headers import has_key, header

VARY = "Authorization, X-Api-Key, Accept, Accept-Encoding"
GZIPPED = "-gzip"


def tag_of(*facts: object) -> str:
    """Return an ETag's text for what follows from `facts` alone."""
    return blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def known(request: Request, tag: str) -> Whole | None:
    """Return a 304 if the client has what `tag` stands for, gzipped or not."""
    given = header(request, b"if-none-match")
    if not given:
        return None
    has = {one.strip().removeprefix("W/").strip('"') for one in given.split(",")}
    for mine in (tag, tag + GZIPPED):
        if mine in has:
            return headed(request, Whole(status=304), mine)
    return None


async def document(
    request: Request,
    tag: str,
    body: bytes,
    compressed: Callable[[], Awaitable[bytes]] | None = None,
) -> Whole:
    """Answer with the body; with what `compressed` gives if there is that and the client can."""
    if compressed is None or not takes_gzip(request):
        return headed(request, Whole(body), tag)
    response = Whole(await compressed())
    response.headers["Content-Encoding"] = "gzip"
    return headed(request, response, tag + GZIPPED)


def headed(request: Request, response: Whole, tag: str) -> Whole:
    """Say what the answer depends on; it may be kept, but must be asked for each time."""
    response.headers["ETag"] = f'"{tag}"'
    response.headers["Cache-Control"] = "private, no-cache" if has_key(request) else "no-cache"
    response.headers["Vary"] = VARY
    return response


def takes_gzip(request: Request) -> bool:
    for coding in header(request, b"accept-encoding").lower().split(","):
        name, _, quality = coding.replace(" ", "").partition(";q=")
        if name in ("gzip", "x-gzip", "*"):
            return quality not in ("0", "0.0", "0.00", "0.000")
    return False

"""Answers whose bytes are there already: as they are, gzipped, or not at all if they are known."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b

from django.http import HttpResponse
from rest_framework.request import Request

VARY = "Authorization, X-Api-Key, Accept, Accept-Encoding"
GZIPPED = "-gzip"


def tag_of(*facts: object) -> str:
    """Return an ETag's text for what follows from `facts` alone."""
    return blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def known(request: Request, tag: str) -> HttpResponse | None:
    """Return a 304 if the client has what `tag` stands for, gzipped or not."""
    given = request.META.get("HTTP_IF_NONE_MATCH")
    if given is None:
        return None
    has = {one.strip().removeprefix("W/").strip('"') for one in given.split(",")}
    for mine in (tag, tag + GZIPPED):
        if mine in has:
            return headed(request, HttpResponse(status=304), mine)
    return None


async def document(
    request: Request,
    tag: str,
    body: bytes,
    compressed: Callable[[], Awaitable[bytes]] | None = None,
) -> HttpResponse:
    """Answer with the body; with what `compressed` gives if there is that and the client can."""
    if compressed is None or not takes_gzip(request):
        return headed(request, HttpResponse(body, content_type="application/json"), tag)
    response = HttpResponse(await compressed(), content_type="application/json")
    response["Content-Encoding"] = "gzip"
    return headed(request, response, tag + GZIPPED)


def headed(request: Request, response: HttpResponse, tag: str) -> HttpResponse:
    """Say what the answer depends on; it may be kept, but must be asked for each time."""
    response["ETag"] = f'"{tag}"'
    with_key = "HTTP_AUTHORIZATION" in request.META or "HTTP_X_API_KEY" in request.META
    response["Cache-Control"] = "private, no-cache" if with_key else "no-cache"
    response["Vary"] = VARY
    return response


def takes_gzip(request: Request) -> bool:
    for coding in request.META.get("HTTP_ACCEPT_ENCODING", "").lower().split(","):
        name, _, quality = coding.replace(" ", "").partition(";q=")
        if name in ("gzip", "x-gzip", "*"):
            return quality not in ("0", "0.0", "0.00", "0.000")
    return False

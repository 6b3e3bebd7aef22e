"""A request's headers, from where the server put them: making Django's META costs too much."""

from django.http import HttpRequest
from rest_framework.request import Request


def header(request: HttpRequest | Request, name: bytes) -> str:
    """Return the value of a header by its lower-case name, "" without one.

    Of several, all are joined: a proxy may have added the last one to a client's own.
    """
    values = [value for found, value in request.scope["headers"] if found == name]
    return b",".join(values).decode("latin-1")


def has_key(request: Request) -> bool:
    """Whether the request presents a key, good or not."""
    return any(name in (b"authorization", b"x-api-key") for name, _ in request.scope["headers"])

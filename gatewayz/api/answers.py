"""Answers that go out as they are: without Django's response, unless Django itself sends them."""

import msgspec
from django.http import HttpResponse


class Whole(msgspec.Struct):
    """A body whose bytes are there, JSON unless `headers` say otherwise. Its length is added."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = {}

    def for_django(self) -> HttpResponse:
        return HttpResponse(self.body, "application/json", self.status, headers=self.headers)

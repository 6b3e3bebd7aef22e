"""Who changes configuration in this request: revisions carry the name."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from providers.configuration import acting_as


class AuthorMiddleware:
    """Changes made while a signed-in person's request runs are theirs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/admin", "/account")):
            return self.get_response(request)
        with acting_as(request.user.get_username() or "anonymous"):
            return self.get_response(request)

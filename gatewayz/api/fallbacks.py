"""What Django itself refuses, in the same shape as our own errors; a browser gets a page."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from msgspec.json import encode

from gatewayz.api.answers import Whole
from gatewayz.api.ids import new_request_id
from gatewayz.api.problems import body_of
from providers.errors import BadRequest, GatewayError, NotFound


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if wants_page(request):
        return defaults.bad_request(request, exception)
    return answer(BadRequest("The request cannot be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if wants_page(request):
        return defaults.permission_denied(request, exception)
    problem = GatewayError("This is not allowed.")
    problem.status, problem.code, problem.type = 403, "not_allowed", "permission_error"
    return answer(problem)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if wants_page(request):
        return defaults.page_not_found(request, exception)
    return answer(not_here(request.path))


def server_error(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        return defaults.server_error(request)
    return answer(GatewayError("Something went wrong here. The operator can find it in the log."))


def wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.META.get("HTTP_ACCEPT", "")


def not_here(path: str) -> GatewayError:
    return NotFound(f"There is nothing at {path[:200]}.")


def answer(problem: GatewayError) -> HttpResponse:
    """Return `problem` as JSON, outside any view."""
    return refusal(problem).for_django()


def refusal(problem: GatewayError) -> Whole:
    request_id = new_request_id()
    body = encode(body_of(problem, request_id))
    return Whole(body, problem.status, {"X-Request-ID": request_id})

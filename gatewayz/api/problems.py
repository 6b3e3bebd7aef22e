"""Every error becomes `{"error": {…}}`, as the openai client expects it."""

import logging
import math
from typing import Any

from django.core.exceptions import SuspiciousOperation
from rest_framework import exceptions
from rest_framework.response import Response

from gatewayz.plane import plane
from providers import errors

log = logging.getLogger(__name__)
RETRY_S = 5  # where nobody said when to come back
CODES = {405: "method_not_allowed", 415: "unsupported_media_type", 404: "not_found"}


def body_of(problem: errors.GatewayError, request_id: str) -> dict[str, Any]:
    """Return the body that answers with `problem`."""
    return {
        "error": {
            "message": problem.message,
            "type": problem.type,
            "param": problem.param,
            "code": problem.code,
            "request_id": request_id,
            "metadata": problem.metadata,
        }
    }


def headers_of(problem: errors.GatewayError) -> dict[str, str]:
    """Return when to come back, whose limit it is, and how many attempts were made where."""
    headers = dict(problem.headers)
    if problem.status in (429, 503):
        wait_s = RETRY_S if problem.retry_after_s is None else problem.retry_after_s
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if isinstance(problem, errors.UpstreamRateLimited):
        headers["X-RateLimit-Scope"] = "upstream"
    attempts = problem.metadata.get("attempts")
    if isinstance(attempts, list):
        headers["X-Gatewayz-Provider"] = str(problem.metadata["provider"])
        headers["X-Gatewayz-Attempts"] = str(len(attempts))
    return headers


def ours(problem: Exception) -> errors.GatewayError:
    """Return `problem` as one of our errors; what nobody foresaw is logged and told as a 500."""
    if isinstance(problem, errors.GatewayError):
        return problem
    if isinstance(problem, exceptions.APIException):
        mine = errors.BadRequest(str(problem.detail))
        mine.status = problem.status_code
        mine.code = CODES.get(problem.status_code, errors.BadRequest.code)
        return mine
    if isinstance(problem, SuspiciousOperation):
        return errors.BadRequest("There is more in this request than anyone sends.")
    if isinstance(problem, RecursionError):
        return errors.BadRequest("The request's body is nested too deeply.")
    log.error("an error that nobody foresaw", exc_info=problem)
    return errors.GatewayError("Something went wrong here. The operator can find it in the log.")


def render(problem: Exception, context: dict[str, Any]) -> Response:
    """Answer with `problem`: DRF's exception handler."""
    mine = ours(problem)
    plane.meter.add(("errors", mine.code))
    request_id = getattr(context["request"], "request_id", "")
    headers = headers_of(mine)
    if mine.status == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(body_of(mine, request_id), status=mine.status, headers=headers)

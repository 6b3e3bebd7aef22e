"""Browsers that have signed in: a signed cookie says as whom, in a digest."""

import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.http import HttpRequest, HttpResponse

from gatewayz.logins.throttle import name_of

COOKIE = "gatewayz_device"
SALT = "gatewayz.device"
YEAR_S = 365 * 86_400


def device_of(request: HttpRequest, name: str) -> str:
    """Return the browser's number if `name` (a digest) has signed in with it, else nothing."""
    try:
        known, number = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=YEAR_S)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return number if known == name else ""


def signed_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    request.signed_in_as = name_of(user.get_username())  # type: ignore[attr-defined]


user_logged_in.connect(signed_in, dispatch_uid="gatewayz.logins")


class DeviceMiddleware:
    """Gives the cookie to the browser of whoever has just signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        name = getattr(request, "signed_in_as", "")
        if name and not device_of(request, name):
            response.set_cookie(
                COOKIE,
                signing.dumps([name, secrets.token_hex(8)], salt=SALT),
                max_age=YEAR_S,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

"""Django's passwords, with a bound on tries. Every form that signs people in comes through here."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from billing.access.addresses import client_address
from gatewayz.logins.devices import device_of
from gatewayz.logins.throttle import TooManyAttempts, bounds, give_back, name_of, take

TOO_MANY = "Too many failed attempts. Wait a quarter of an hour, or use a browser that you know."


class PatientBackend(ModelBackend):
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> Any:
        """Return the user; raise PermissionDenied, without a look at it, after too many tries."""
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **options)
        name = name_of(username)
        try:
            taken = take(bounds(name, place_of(request), device_of(request, name)))
        except TooManyAttempts as problem:
            request.refused_for_now = True  # type: ignore[attr-defined]
            raise PermissionDenied(TOO_MANY) from problem
        user = super().authenticate(request, username, password, **options)
        if user is not None:
            give_back(taken)
        return user


def place_of(request: HttpRequest) -> str:
    meta = request.META
    peer, forwarded = meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", "")
    return str(client_address(peer, forwarded, settings.TRUSTED_PROXIES))

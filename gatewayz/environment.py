"""Reads environment variables; one that makes no sense is named in one line."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):
    """django-environ, with its errors as sentences. An empty variable counts as not set."""

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        if not str(self.ENVIRON.get(var, "set")).strip() and "default" in options:
            return options["default"]
        try:
            return super().get_value(var, *args, **options)
        except ValueError as problem:
            raise ImproperlyConfigured(
                f"{var} is {self.ENVIRON.get(var)!r}: {problem}"
            ) from problem

    def choice(self, var: str, choices: Sequence[str]) -> str:
        """Return one of `choices`; the first is the default."""
        value: str = self.str(var, default=choices[0])
        if value not in choices:
            raise ImproperlyConfigured(f"{var} is {value!r}; it can be {', '.join(choices)}")
        return value

    def networks(self, var: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return a list of addresses and networks, none by default."""
        try:
            return tuple(ip_network(text.strip()) for text in self.list(var, default=[]))
        except ValueError as problem:
            raise ImproperlyConfigured(f"{var}: {problem}; write 10.0.0.5,10.1.0.0/16") from problem

    def redis_url(self, var: str) -> str:
        value: str = self.str(var, default="")
        if value and not value.startswith(("redis://", "rediss://")):
            raise ImproperlyConfigured(f"{var} is no address of a Redis: redis://host:6379/0")
        return value

    def days(self, var: str, default: int) -> int:
        value: int = self.int(var, default=default)
        if not 1 <= value <= 36_500:
            raise ImproperlyConfigured(f"{var} is {value}; it can be 1 to 36500 days")
        return value

    def email(self, var: str) -> dict[str, Any]:
        """Return Django's settings for e-mail; without an address nothing is sent."""
        value: str = self.str(var, default="")
        if not value:
            backend = "django.core.mail.backends.dummy.EmailBackend"
            return {"EMAIL_CONFIGURED": False, "EMAIL_BACKEND": backend}
        scheme = value.partition(":")[0]
        if scheme not in self.EMAIL_SCHEMES:
            known = ", ".join(sorted(self.EMAIL_SCHEMES))
            raise ImproperlyConfigured(f"{var} begins with {scheme!r}; it can begin with {known}")
        return {"EMAIL_CONFIGURED": True, **self.email_url_config(value)}

    def log_level(self, var: str) -> str:
        value: str = self.str(var, default="INFO").upper()
        if value not in logging.getLevelNamesMapping():
            raise ImproperlyConfigured(f"{var} is {value!r}; it can be DEBUG, INFO, WARNING, ERROR")
        return value

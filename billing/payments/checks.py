"""Payments by card are set up whole or not at all: an empty secret must never be accepted."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import Error, register

BOTH = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
INSTALL = "install it: pip install -r requirements-stripe.txt"


def is_open() -> bool:
    """Whether payments by card are taken."""
    return all(str(getattr(settings, name)).strip() for name in BOTH)


@register()
def stripe_is_whole(app_configs: Any, **options: Any) -> list[Error]:
    given = [name for name in BOTH if getattr(settings, name).strip()]
    if not given:
        return []
    if len(given) == 1:
        [missing] = set(BOTH) - set(given)
        said = f"{given[0]} is set and {missing} is not: set both, or neither"
        return [Error(said, id="payments.E001")]
    if find_spec("stripe") is None:
        return [Error(f"Stripe's package is not there: {INSTALL}", id="payments.E002")]
    return []

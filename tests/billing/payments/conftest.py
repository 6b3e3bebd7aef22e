from collections.abc import Iterator
from typing import Any

import pytest

from billing.models import Account
from billing.payments.checkout import open_checkout
from tests.billing.ledgers import account
from tests.billing.payments.telling import START
from tests.upstreams import stripe as shop
from tests.upstreams.server import Upstream


@pytest.fixture
def stripe_is_set_up(settings: Any) -> Iterator[shop.Checkout]:
    checkout = shop.Checkout()
    with Upstream() as up:
        up.reply(checkout)
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = (
            shop.SECRET_KEY,
            shop.WEBHOOK_SECRET,
        )
        settings.STRIPE_API_BASE = up.url.removesuffix("/v1")
        yield checkout


@pytest.fixture
def acme() -> Account:
    return account(nano=START)


@pytest.fixture
def session(acme: Account, stripe_is_set_up: shop.Checkout) -> dict[str, Any]:
    """A Checkout of 25 USD that Acme opened, as Stripe has it once it is paid."""
    open_checkout(acme, 2500, "key k1", "http://gateway/")
    [opened] = stripe_is_set_up.sessions.values()
    return shop.paid(opened)

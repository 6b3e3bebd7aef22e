"""Offers with rows, for tests of what is recorded of them."""

from datetime import UTC, datetime

import pytest

from catalog.evidence.verdicts import OK, TRAFFIC, Finding
from catalog.models import Model, Offer
from providers.models import Provider


@pytest.fixture
def offer(db: None) -> Offer:
    provider = Provider.objects.create(
        slug="acme", name="Acme", base_url="https://acme.test/v1", key_optional=True
    )
    model = Model.objects.create(model_id="acme/chat-1")
    return Offer.objects.create(
        model=model, provider=provider, upstream_id="chat-1", input_price=1, output_price=2
    )


def found(offer: Offer, outcome: str = OK, at: datetime | None = None, **more: object) -> Finding:
    return Finding(offer.pk, at or datetime.now(UTC), more.pop("source", TRAFFIC), outcome, **more)

"""Channels that lead to receivers of the test's own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from catalog.alerts.delivering import deliver
from catalog.alerts.models import FIRING, Alert, Channel, Delivery
from catalog.alerts.telling import tell
from tests.catalog.evidence.conftest import offer  # noqa: F401
from tests.catalog.syncs.conftest import listing, lists  # noqa: F401
from tests.upstreams.hooks import Hook


@pytest.fixture
def channel(db: None) -> Callable[..., Channel]:
    def made(hook: Hook | str = "https://hooks.example/x", shape: str = "webhook", **more: Any):
        url = hook if isinstance(hook, str) else hook.url
        given = {"name": f"channel {Channel.objects.count()}", "private_network": True} | more
        row = Channel(shape=shape, url="" if shape == "email" else url, **given)
        row.full_clean()
        row.save()
        return row

    return made


def firing(kind: str) -> dict[str, str]:
    """Return what fires of a kind: its words by subject."""
    return dict(Alert.objects.filter(kind=kind, state=FIRING).values_list("subject", "text"))


def told() -> list[str]:
    """Tell what is due; return the titles of the messages that came of it."""
    return list(Delivery.objects.filter(pk__in=tell()).values_list("title", flat=True))


def delivered() -> list[str]:
    """Tell what is due and try each delivery that is due once; return what came of each."""
    tell()
    return [deliver(pk)[0] for pk in Delivery.objects.due().values_list("pk", flat=True)]


def pass_time(**span: float) -> None:
    """Let everything that was seen, told and tried be so much older."""
    ago = timedelta(**span)
    for row in Alert.objects.all():
        for name in ("first_seen_at", "last_seen_at", "tell_at", "told_at", "resolved_at"):
            at = getattr(row, name)
            setattr(row, name, at and at - ago)
        row.save()
    for delivery in Delivery.objects.all():
        delivery.next_at -= ago
        delivery.claimed_at = delivery.claimed_at and delivery.claimed_at - ago
        delivery.save()

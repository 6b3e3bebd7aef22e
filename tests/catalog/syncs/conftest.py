"""Providers whose lists are local, and syncs that do not wait long."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalog.models import Offer
from catalog.syncs.models import SyncRun
from catalog.syncs.running import sync
from providers.fetching import Limits
from providers.models import Provider
from tests.upstreams.listings import Lists, Shelf, Stock

QUICK = Limits(backoff_s=0.01, tries=3, silence_s=5, connect_s=2)


@pytest.fixture
def lists() -> Iterator[Lists]:
    with Lists() as running:
        yield running


@pytest.fixture
def listing(db: None, lists: Lists) -> Callable[..., Provider]:
    """Point a seeded provider at a local list: `listing(stock)` or `listing("groq", shelf)`."""

    def point(stock: Stock | str, shelf: Shelf | None = None, **fields: Any) -> Provider:
        slug = stock if isinstance(stock, str) else stock.slug
        parser = "groq" if isinstance(stock, str) else stock.parser
        given = shelf or stock
        assert callable(given)
        url = lists.add(f"/{slug}/models", given)
        provider = Provider.objects.get(slug=slug)
        provider.listing = [{"parser": parser, "url": url, "auth": "none"}]
        provider.private_network = True
        provider.guards = {}
        for name, value in fields.items():
            setattr(provider, name, value)
        provider.save()
        return provider

    return point


def synced(provider: Provider, **options: Any) -> SyncRun:
    return sync(Provider.objects.get(pk=provider.pk), limits=QUICK, **options)


def listed_ids(provider: Provider) -> set[str]:
    rows = Offer.objects.alive().filter(provider=provider)
    return set(rows.values_list("upstream_id", flat=True))

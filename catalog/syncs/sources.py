"""Where a provider lists its models, ready to be fetched: parsers, addresses, credentials."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from catalog.models import Offer
from catalog.syncs.models import SyncRun
from providers.fetching import FetchFailed
from providers.listings.entries import EntryError, entry
from providers.listings.values import Entry
from providers.models import Provider

FULL_AGAIN = timedelta(days=1)  # a new release may read more out of the same list

Source = tuple[Entry, Mapping[str, str]]


def sources(provider: Provider) -> list[Source]:
    """Return each list with the headers to send. Raises FetchFailed."""
    found: list[Source] = []
    for number, stored in enumerate(provider.listing, start=1):
        try:
            ready = entry(stored)
        except EntryError as problem:
            raise FetchFailed(f"listing {number}: {problem}") from problem
        found.append((ready, headers(provider, ready)))
    if not found:
        raise FetchFailed("no listing is set up")
    return found


def headers(provider: Provider, listing: Entry) -> dict[str, str]:
    sent = {"accept": "application/json"}
    sent |= {name.lower(): value for name, value in provider.headers.items()}
    if listing.auth == "none":
        return sent
    token = next((secret.token for secret in provider.secrets() if secret.token), "")
    if not token and listing.auth == "required":
        raise FetchFailed("its list needs a credential, and none is set up")
    if token:
        name, _, value = (listing.auth_header or provider.auth_header).partition(":")
        sent[name.strip().lower()] = value.strip().replace("{key}", token)
    return sent


def fetchable(provider: Provider) -> bool:
    """Tell whether a sync makes sense: it is on, has lists, and what they ask for is there."""
    if not provider.enabled:
        return False
    try:
        return bool(sources(provider))
    except FetchFailed:
        return False


def etags(provider: Provider) -> dict[str, str]:
    """Return ETags by address if leaving an unchanged list unread loses nothing.

    It would, if an offer is missing and its absence has to be counted, if offers were removed here,
    or if the last full reading is old.
    """
    last = provider.sync_runs.exclude(state="running").first()
    if last is None or last.state not in ("applied", "unchanged"):
        return {}
    full = last_full(provider)
    if full is None or full.started_at < timezone.now() - FULL_AGAIN:
        return {}
    offers = Offer.objects.alive().filter(provider=provider)
    if offers.filter(missing_runs__gt=0).exists() or offers.count() < full.unique:
        return {}
    return {report["url"]: report["etag"] for report in full.entries if report["etag"]}


def last_full(provider: Provider) -> SyncRun | None:
    """Return the newest run that read the lists and was not held back."""
    return SyncRun.objects.filter(
        provider=provider, state__in=("applied", "unchanged"), pages__gt=0
    ).first()

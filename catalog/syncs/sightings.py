"""What a provider's list proves of an offer: that it is for sale, as of the last good reading."""

from datetime import datetime

from catalog.models import Offer
from catalog.syncs.models import SyncRun

GOOD = ("applied", "unchanged")


def last_reading(provider_id: int) -> datetime | None:
    """Return when the provider's list was last read well, or said to be unchanged."""
    runs = SyncRun.objects.filter(provider=provider_id, state__in=GOOD)
    return runs.order_by("-started_at").values_list("finished_at", flat=True).first()


def sighting(offer: Offer) -> str:
    """Say whether the list has the offer, and as of when. Nothing is decided by it."""
    if offer.first_listed_at is None:
        return "never listed"
    read = last_reading(offer.provider_id)
    when = f"{read:%Y-%m-%d %H:%M} UTC" if read else "an unknown time"
    if offer.retired_at or offer.missing_runs:
        since = offer.last_listed_at
        gone = f"last seen before {since:%Y-%m-%d %H:%M} UTC" if since else "gone"
        return f"not in the list read at {when}; {gone}"
    return f"in the list read at {when}"

"""How many models each gateway lists, as of its last good reading."""

from dataclasses import dataclass

from django.db.models import Count, Max, Q

from catalog.models import Offer
from catalog.syncs.models import SyncRun
from catalog.syncs.sources import fetchable
from providers.models import Provider


@dataclass(frozen=True, slots=True)
class Gateway:
    """One row of the counts. total: listed rows; status: of the newest run, or why there is none.

    lacking: it should have models and has none.
    """

    gateway: str
    total: int
    unique: int
    duplicates: int
    status: str
    lacking: bool = False


def gateways() -> list[Gateway]:
    """Return a row per provider, in the order of their names."""
    providers = Provider.objects.prefetch_related("credentials").order_by("slug")
    found = Offer.objects.filter(retired_at=None, enabled=True).values_list("provider")
    offers = dict(found.annotate(count=Count("pk")))
    runs = newest(Q())
    read = newest(Q(state__in=("applied", "unchanged"), pages__gt=0))
    return [
        row_of(row, offers.get(row.pk, 0), runs.get(row.pk), read.get(row.pk)) for row in providers
    ]


def newest(condition: Q) -> dict[int, SyncRun]:
    """Return each provider's newest run that meets the condition."""
    last = SyncRun.objects.filter(condition).order_by().values("provider").annotate(last=Max("pk"))
    rows = SyncRun.objects.filter(pk__in=[row["last"] for row in last])
    return {row.provider_id: row for row in rows.defer("refused", "entries")}


def row_of(provider: Provider, unique: int, run: SyncRun | None, read: SyncRun | None) -> Gateway:
    duplicates = read.duplicates if read else 0
    ready = bool(provider.listing) and fetchable(provider)
    return Gateway(
        gateway=provider.slug,
        total=unique + duplicates,
        unique=unique,
        duplicates=duplicates,
        status=status(provider, run, ready),
        lacking=not unique and ready and (run is not None or not provider.private_network),
    )


def status(provider: Provider, run: SyncRun | None, ready: bool) -> str:
    if not provider.enabled:
        return "off"
    if run is not None:
        return run.state
    if not provider.listing:
        return "no list"
    return "not synced" if ready else "no credential"

"""Providers as listings, counts and health show them."""

from datetime import UTC, datetime

from msgspec import Struct

from catalog.records import Record
from catalog.sheets import Sheet
from catalog.values import Snapshot
from providers.values import Endpoint

READY, DISABLED, NO_CREDENTIAL, EMPTY = "ready", "disabled", "no_credential", "empty"


class Gateway(Struct):
    slug: str
    name: str
    aliases: list[str]
    site_url: str | None
    status: str
    models: int


class Counts(Struct):
    """total: rows of its list; unique: models among them; duplicates: the others. status: of its
    last sync, as `gateway_counts` prints it."""

    gateway: str
    total: int
    unique: int
    duplicates: int
    status: str


class Totals(Struct):
    total: int
    unique: int
    duplicates: int


class Health(Struct):
    """models_cached: what is known of its list, callable or not. Times are UTC."""

    gateway: str
    status: str
    models_cached: int
    aliases: list[str]
    last_sync: str | None
    last_success: str | None


def gateway_of(snapshot: Snapshot, endpoint: Endpoint, sheet: Sheet) -> Gateway:
    return Gateway(
        slug=endpoint.slug,
        name=endpoint.name,
        aliases=aliases(snapshot, endpoint.slug),
        site_url=endpoint.site_url or None,
        status=status(endpoint, sheet),
        models=sheet.counts.get(endpoint.slug, 0),
    )


def counts_of(
    snapshot: Snapshot, endpoint: Endpoint, sheet: Sheet, record: Record | None
) -> Counts:
    """Return the counts; as far as memory knows them while the database has not answered."""
    if record is None:
        unique = len(snapshot.offered.get(endpoint.slug, ()))
        return Counts(endpoint.slug, unique, unique, 0, status(endpoint, sheet))
    counts = record.counts
    return Counts(endpoint.slug, counts.total, counts.unique, counts.duplicates, counts.status)


def totals_of(rows: list[Counts]) -> Totals:
    unique, total = sum(row.unique for row in rows), sum(row.total for row in rows)
    return Totals(total, unique, total - unique)


def health_of(
    snapshot: Snapshot, endpoint: Endpoint, sheet: Sheet, record: Record | None
) -> Health:
    return Health(
        gateway=endpoint.slug,
        status=status(endpoint, sheet),
        models_cached=len(snapshot.offered.get(endpoint.slug, ())),
        aliases=aliases(snapshot, endpoint.slug),
        last_sync=iso(record.last_sync if record else None),
        last_success=iso(record.last_success if record else None),
    )


def status(endpoint: Endpoint, sheet: Sheet) -> str:
    """Say whether a request can go there; `sheet` lists all gateways."""
    if not endpoint.enabled:
        return DISABLED
    if not endpoint.secrets:
        return NO_CREDENTIAL
    return READY if sheet.counts.get(endpoint.slug) else EMPTY


def aliases(snapshot: Snapshot, slug: str) -> list[str]:
    return sorted(name for name, owner in snapshot.names.items() if owner == slug != name)


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

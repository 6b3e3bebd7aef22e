"""What the database says for a scrape: syncs, alerts, revisions, journals. A few queries."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Max

from billing.models import JournalFile
from catalog import revisions
from catalog.alerts.kinds import KINDS
from catalog.alerts.models import FIRING, Alert, Delivery
from catalog.syncs.counting import gateways
from catalog.syncs.models import SyncRun
from gatewayz.metrics.text import Family, gauge, number

GOOD = ("applied", "unchanged")
SYNC_STATES = ("applied", "unchanged", "running", "quarantined", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Facts:
    """As they were at `at`. syncs: state by slug; synced: the last good one's end, Unix time."""

    at: float = 0.0
    revision: int = 0
    offers: dict[str, float] = field(default_factory=dict)
    syncs: dict[str, str] = field(default_factory=dict)
    synced: dict[str, float] = field(default_factory=dict)
    firing: Mapping[str, float] = field(default_factory=dict)
    undelivered: int = 0
    journal_bytes: int = 0


def read(journals: Path) -> Facts:
    """Ask the database; raises its errors."""
    counts = {row.gateway: row for row in gateways()}
    good = SyncRun.objects.filter(state__in=GOOD, finished_at__isnull=False).order_by()
    ends = good.values_list("provider__slug").annotate(Max("finished_at"))
    firing = Alert.objects.filter(state=FIRING).order_by().values_list("kind")
    return Facts(
        at=time.time(),
        revision=revisions.current(),
        offers={slug: row.unique for slug, row in counts.items()},
        syncs={slug: row.status for slug, row in counts.items() if row.status in SYNC_STATES},
        synced={slug: unix(end) for slug, end in ends},
        firing=dict.fromkeys(KINDS, 0) | dict(firing.annotate(Count("pk"))),
        undelivered=Delivery.objects.exclude(state__in=("sent", "failed")).count(),
        journal_bytes=unbooked(journals),
    )


def unix(moment: datetime) -> float:
    return moment.timestamp()


def unbooked(folder: Path) -> int:
    """Return how many bytes of this node's journals are not in the database yet."""
    booked = dict(JournalFile.objects.values_list("name", "offset"))
    total = 0
    for path in folder.glob("[0-9]*.jsonl"):
        try:
            total += max(0, path.stat().st_size - booked.get(path.name, 0))
        except FileNotFoundError:
            continue
    return total


def families(facts: Facts) -> Iterator[Family]:
    yield number(
        "gatewayz_database_revision", "Newest revision of the configuration.", facts.revision
    )
    yield gauge("gatewayz_offers", "Models that a provider lists.", facts.offers, "provider")
    states = [
        ("", {"provider": slug, "state": state}, float(state == now))
        for slug, now in sorted(facts.syncs.items())
        for state in SYNC_STATES
    ]
    yield Family("gatewayz_sync_state", "gauge", "1 for the state of the newest sync.", states)
    yield gauge(
        "gatewayz_sync_last_success_timestamp_seconds",
        "When a provider's list was last read well.",
        facts.synced,
        "provider",
    )
    yield gauge("gatewayz_alerts_firing", "Alerts that fire now.", facts.firing, "kind")
    yield number(
        "gatewayz_alert_deliveries_waiting", "Messages not yet delivered.", facts.undelivered
    )
    yield number(
        "gatewayz_journal_unbooked_bytes",
        "Bytes of this node's journals that are not in the database yet.",
        facts.journal_bytes,
    )
    yield number("gatewayz_database_read_timestamp_seconds", "When these were read.", facts.at)

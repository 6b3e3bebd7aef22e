"""What 5 minutes, 1 hour and 1 day show of each offer, and what of it the resolver orders by."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from catalog.evidence.models import Counted, OfferHealth, OfferHour, OfferMinute
from catalog.evidence.tallies import Tally, Window, differs, window
from catalog.models import Offer
from providers.configuration import announce, one_revision

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOWS = {"5m": timedelta(minutes=5), "1h": HOUR, "1d": DAY}
FOLDED_AFTER = 2 * HOUR
FEWEST = 10  # answers that an order of providers may rest on
BATCH = 500
Spans = Mapping[int, list[tuple[datetime, Tally]]]


def spans_of(table: type[Counted], since: datetime) -> Spans:
    found: dict[int, list[tuple[datetime, Tally]]] = defaultdict(list)
    columns = table.objects.filter(at__gte=since).order_by()
    for offer_id, at, *rest in columns.values_list("offer_id", "at", *table.COLUMNS).iterator():
        found[offer_id].append((at, Tally(*rest)))
    return found


def summarise(now: datetime | None = None) -> int:
    """Write every active offer's windows; return how many offers that were.

    A window holds the minutes that began in it; what is older than two hours, the hours.
    """
    now = now or timezone.now()
    minutes = spans_of(OfferMinute, now - DAY)
    hours = spans_of(OfferHour, now - DAY)
    known = OfferHealth.objects.exclude(windows={}).values_list("pk", flat=True)
    active = sorted({*minutes, *hours, *known})
    for start in range(0, len(active), BATCH):
        chosen = active[start : start + BATCH]
        rows = [summary(pk, minutes.get(pk, []), hours.get(pk, []), now) for pk in chosen]
        with transaction.atomic():
            alive = OfferHealth.objects.filter(pk__in=chosen).select_for_update().order_by("pk")
            there = set(alive.values_list("pk", flat=True))
            OfferHealth.objects.bulk_update(
                [row for row in rows if row.pk in there], ["windows", "success_rate"]
            )
    return len(active)


def summary(
    offer_id: int,
    minutes: list[tuple[datetime, Tally]],
    hours: list[tuple[datetime, Tally]],
    now: datetime,
) -> OfferHealth:
    found: dict[str, Window] = {}
    for name, length in WINDOWS.items():
        recent = [tally for at, tally in minutes if at > now - length]
        older = [tally for at, tally in hours if at > now - length]
        found[name] = window(recent + older)
    told = {name: shown.told() for name, shown in found.items() if shown.requests}
    return OfferHealth(offer_id=offer_id, windows=told, success_rate=found["1h"].success_rate)


def fold(now: datetime | None = None) -> int:
    """Move minutes of long ago into their hours; return how many minutes that were."""
    edge = ((now or timezone.now()) - FOLDED_AFTER).replace(minute=0, second=0, microsecond=0)
    total = 0
    while True:
        with transaction.atomic():
            old = OfferMinute.objects.select_for_update().filter(at__lt=edge)
            rows = list(old.order_by("offer_id", "at")[:BATCH])
            hours: dict[tuple[int, datetime], Tally] = defaultdict(Tally)
            for row in rows:
                hours[row.offer_id, row.at.replace(minute=0)].add(row.tally())
            if hours:
                OfferHour.add(hours)
                OfferMinute.objects.filter(pk__in=[row.pk for row in rows]).delete()
        total += len(rows)
        if len(rows) < BATCH:
            return total


def measure() -> int:
    """Give offers the latency, speed and uptime that the resolver and the API tell.

    Only what is news: off by more than a fifth. Return how many offers changed.
    """
    changed: list[Offer] = []
    up: list[OfferHealth] = []
    told = models.Q(offer__latency_ms__isnull=False) | models.Q(offer__throughput_tps__isnull=False)
    rows = OfferHealth.objects.filter(~models.Q(windows={}) | told | models.Q(uptime__isnull=False))
    for row in rows.select_related("offer", "offer__provider").order_by("pk").iterator(BATCH):
        if renewed(row.offer, row.windows.get("1h", {})):
            changed.append(row.offer)
        uptime = row.windows.get("1d", {}).get("success_rate")
        if differs(row.uptime, uptime, 0.05):
            row.uptime = uptime
            up.append(row)
    with one_revision(f"measured {len(changed)} offers"):
        for offer in changed:
            mine = Offer.objects.filter(pk=offer.pk)
            mine.record(latency_ms=offer.latency_ms, throughput_tps=offer.throughput_tps)
        for row in up:
            OfferHealth.objects.filter(pk=row.pk).update(uptime=row.uptime)
        slugs = {offer.provider.slug for offer in changed} | {r.offer.provider.slug for r in up}
        announce({f"experience:{slug}" for slug in slugs}, "")
    return len({offer.pk for offer in changed} | {row.pk for row in up})


def renewed(offer: Offer, hour: Mapping[str, float]) -> bool:
    """Give `offer` what an hour shows, if it shows enough and differs; return whether it did.

    Its latency is the time to the first token where it streams, else to the answer's end.
    """
    enough = hour.get("requests", 0) >= FEWEST
    latency_ms = (hour["first_token_ms"] or hour["p50_ms"]) if enough else None
    tps = hour["tokens_per_second"] if enough else None
    if not differs(offer.latency_ms, latency_ms) and not differs(offer.throughput_tps, tps):
        return False
    offer.latency_ms = None if latency_ms is None else int(latency_ms)
    offer.throughput_tps = tps
    return True

"""Writes findings down: counts, what is held of each offer, and the evidence worth keeping.

All of it in a handful of queries per batch. Whoever calls has a transaction open, and locks
nothing more after it than the revision.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from catalog.evidence.models import DETAIL, BlockHits, Evidence, OfferHealth, OfferMinute
from catalog.evidence.tallies import Tally
from catalog.evidence.verdicts import DOWN, LIST, OK, TRAFFIC, Finding, judged
from catalog.models import BlockRule, Offer
from providers.configuration import announce

STALE = timedelta(days=1)
SUCCESS_KEPT = timedelta(minutes=10)
FAILURES_KEPT = 3  # per offer, outcome and batch
HELD = (
    "state",
    "hard_failures",
    "last_success_at",
    "last_failure_at",
    "last_traffic_at",
    "down_since",
    "kept_at",
)
Names = Mapping[int, tuple[str, str]]


def record(findings: Sequence[Finding]) -> None:
    """Record what was found; an offer that falls or rises is announced."""
    too_old = timezone.now() - STALE
    recent = [finding for finding in findings if finding.offer_id and finding.at > too_old]
    if not recent:
        return
    names = names_of({finding.offer_id for finding in recent})
    known: dict[int, list[Finding]] = defaultdict(list)
    for finding in recent:
        if finding.offer_id in names:
            known[finding.offer_id].append(finding)
    if known:
        count(known)
        hold(known, names)


def names_of(offer_ids: set[int]) -> Names:
    """Return slug and model of each offer that is still there."""
    rows = Offer.objects.filter(pk__in=offer_ids).order_by()
    columns = rows.values_list("pk", "provider__slug", "model__model_id")
    return {pk: (slug, model) for pk, slug, model in columns}


def count(found: Mapping[int, list[Finding]]) -> None:
    minutes: dict[tuple[int, datetime], Tally] = defaultdict(Tally)
    for offer_id, findings in found.items():
        for finding in findings:
            if finding.source != LIST:
                minute = finding.at.replace(second=0, microsecond=0)
                minutes[offer_id, minute].count(finding)
    if minutes:
        OfferMinute.add(minutes)


def hold(found: Mapping[int, list[Finding]], names: Names) -> None:
    """Judge each offer, in the order of time, under a lock of its row."""
    rows = OfferHealth.objects.locked(found)
    kept: list[Finding] = []
    flipped: list[OfferHealth] = []
    for row in rows:
        before = row.state == DOWN
        kept += weighed(row, sorted(found[row.pk], key=lambda finding: finding.at))
        if (row.state == DOWN) != before:
            flipped.append(row)
    OfferHealth.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["offer"], update_fields=HELD
    )
    Evidence.objects.bulk_create([row_of(finding) for finding in kept])
    if flipped:
        tell(flipped, names)


def weighed(row: OfferHealth, findings: Sequence[Finding]) -> list[Finding]:
    """Let `row` take in the findings; return those that are worth a row of their own."""
    kept: list[Finding] = []
    failures: dict[str, int] = defaultdict(int)
    standing = row.standing()
    for finding in findings:
        after = judged(standing, finding)
        if finding.outcome != OK:
            failures[finding.outcome] += 1
            worth = after.state != standing.state or failures[finding.outcome] <= FAILURES_KEPT
        else:
            worth = (
                finding.source != TRAFFIC
                or after.state != standing.state
                or row.kept_at is None
                or finding.at - row.kept_at >= SUCCESS_KEPT
            )
            row.kept_at = finding.at if worth else row.kept_at
        if worth:
            kept.append(finding)
        if finding.source == TRAFFIC:
            row.last_traffic_at = max(row.last_traffic_at or finding.at, finding.at)
        standing = after
    row.take(standing)
    return kept


def row_of(finding: Finding) -> Evidence:
    return Evidence(
        offer_id=finding.offer_id,
        at=finding.at,
        source=finding.source,
        outcome=finding.outcome,
        status=finding.status,
        detail=finding.detail[:DETAIL],
        latency_ms=finding.latency_ms,
        first_byte_ms=finding.first_byte_ms,
        tokens_per_second=finding.tokens_per_second,
    )


def tell(flipped: Sequence[OfferHealth], names: Names) -> None:
    """Announce the offers that fell or rose, so that every process serves accordingly."""
    said = [
        f"{names[row.pk][1]} at {names[row.pk][0]} is {'down' if row.state == DOWN else 'back'}"
        for row in flipped
    ]
    announce({f"experience:{names[row.pk][0]}" for row in flipped}, "; ".join(said))


def count_hits(hits: Mapping[int, int], at: datetime) -> None:
    """Add to how often block rules kept an offer out, by the rule's primary key."""
    known = BlockRule.objects.filter(pk__in=hits).values_list("pk", flat=True)
    BlockHits.objects.bulk_create(
        [BlockHits(rule_id=pk) for pk in sorted(known)], ignore_conflicts=True
    )
    for row in BlockHits.objects.select_for_update().filter(pk__in=hits).order_by("pk"):
        row.hits += hits[row.pk]
        row.last_hit_at = max(row.last_hit_at or at, at)
        row.save(update_fields=["hits", "last_hit_at"])

"""Keeps evidence and counts bounded, a small batch at a time so that nobody waits for it."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from catalog.evidence.models import Evidence, OfferHour

ROWS_KEPT = 200  # per offer
HOURS_KEPT = timedelta(hours=25)
BATCH = 1000


def sweep() -> int:
    """Delete what is too old or too much; return how many rows."""
    now = timezone.now()
    deleted = clear(OfferHour.objects.filter(at__lt=now - HOURS_KEPT))
    deleted += clear(Evidence.objects.filter(at__lt=now - timedelta(days=settings.EVIDENCE_DAYS)))
    crowded = Evidence.objects.order_by().values("offer").annotate(rows=Count("pk"))
    for row in crowded.filter(rows__gt=ROWS_KEPT).iterator():
        theirs = Evidence.objects.filter(offer=row["offer"]).order_by("-at", "-pk")
        edge = theirs.values_list("at", flat=True)[ROWS_KEPT - 1]
        deleted += clear(Evidence.objects.filter(offer=row["offer"], at__lt=edge))
    return deleted


def clear(rows: QuerySet) -> int:
    """Delete `rows`, a batch per transaction."""
    total = 0
    while keys := list(rows.order_by("at").values_list("pk", flat=True)[:BATCH]):
        total += rows.model.objects.filter(pk__in=keys).delete()[0]
    return total

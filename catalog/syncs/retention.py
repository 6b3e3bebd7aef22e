"""Keeps the history of syncs for a while, deleted in small batches so that nobody waits.

Prices are not swept: what was in force at a moment can be asked for ever.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from catalog.syncs.models import Change, Changeset, SyncRun

BATCH = 1000
MOST = 200_000  # rows at one time; the rest is for the next


def sweep(most: int = MOST) -> int:
    """Delete runs that ended long ago, with their changes; return how many rows.

    What is needed stays: each provider's newest run and newest full reading, and what waits for
    an admin.
    """
    edge = timezone.now() - timedelta(days=settings.SYNC_HISTORY_DAYS)
    old = SyncRun.objects.exclude(state="running").filter(started_at__lt=edge)
    old = old.exclude(pk__in=needed()).exclude(changeset__state="quarantined")
    deleted = clear(Change.objects.filter(changeset__run__in=old.order_by().values("pk")), most)
    if deleted < most:
        empty = Changeset.objects.filter(run__in=old.order_by().values("pk"))
        deleted += clear(empty, most - deleted)
        deleted += clear(old, most - deleted)
    return deleted


def needed() -> set[int]:
    read = Q(state__in=("applied", "unchanged"), pages__gt=0)
    good = Q(state__in=("applied", "unchanged", "quarantined"))
    return {pk for condition in (Q(), read, good) for pk in newest(condition)}


def newest(condition: Q) -> Iterable[int]:
    rows = SyncRun.objects.filter(condition).order_by().values("provider")
    return rows.annotate(last=Max("pk")).values_list("last", flat=True)


def clear(rows: QuerySet, most: int) -> int:
    """Delete `rows`, a batch per transaction, about `most` of them."""
    total = 0
    while total < most:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[: min(BATCH, most - total)])
        if not keys:
            break
        rows.model.objects.filter(pk__in=keys).delete()
        total += len(keys)
    return total

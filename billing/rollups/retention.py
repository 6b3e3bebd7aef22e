"""Deletes usage rows that are older than they are kept. Their sums and the ledger stay."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Sum
from django.db.transaction import atomic
from django.utils import timezone

from billing.models import UsageRow
from billing.rollups.models import Progress
from billing.rollups.reading import whole_hour

BATCH = 5000


def delete_old(days: int | None = None, batch: int = BATCH) -> int:
    """Delete rows older than `days` (the setting's, if None; 0 keeps all); return how many.

    A batch per transaction, oldest keys first, only what is in the sums. It ends at the first
    batch that holds a row which is young enough.
    """
    kept = settings.USAGE_DAYS if days is None else days
    before = timezone.now() - timedelta(days=kept)
    total = 0
    while kept and (deleted := delete_batch(before, batch)):
        total += deleted
    return total


def delete_batch(before: datetime, size: int) -> int:
    """Delete the next batch if all of it is older than `before`, and note what is gone."""
    with atomic():
        progress = Progress.locked()
        start = progress.deleted_through
        after = UsageRow.objects.filter(pk__gt=start, pk__lte=progress.rolled_through)
        keys = list(after.order_by("pk").values_list("pk", flat=True)[:size])
        if not keys:
            return 0
        batch = UsageRow.objects.filter(pk__gt=start, pk__lte=keys[-1])
        gone = batch.aggregate(
            rows=Count("pk"),
            cost=Sum("cost_nano"),
            latest=Max("created_at"),
            booked=Max("transaction__created_at"),
        )
        if gone["latest"] >= before:
            return 0
        batch.delete()
        note(progress, keys[-1], gone)
    return len(keys)


def note(progress: Progress, through: int, gone: dict) -> None:
    progress.deleted_through = through
    progress.deleted_rows += gone["rows"]
    progress.deleted_cost_nano += gone["cost"] or 0
    progress.deleted_hour = later(progress.deleted_hour, whole_hour(gone["latest"]))
    progress.deleted_booked_at = later(progress.deleted_booked_at, gone["booked"])
    progress.save()


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment), default=None)

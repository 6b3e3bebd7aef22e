"""Makes the sums again from the usage rows that are kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Min
from django.db.transaction import atomic
from django.utils import timezone

from billing.models import UsageRow
from billing.rollups.models import HourlyUsage, Progress
from billing.rollups.reading import whole_hour
from billing.rollups.summing import add

HOUR = timedelta(hours=1)


def rebuild(since: datetime | None = None) -> Iterator[tuple[datetime, int]]:
    """Yield each hour that was made again, with its number of rollup rows.

    Begins after the hours whose rows were deleted: there the sums are all that is left.
    """
    for hour in hours(since):
        with atomic():
            through = Progress.locked().rolled_through
            HourlyUsage.objects.filter(hour=hour).delete()
            rows = UsageRow.objects.filter(created_at__gte=hour, created_at__lt=hour + HOUR)
            add(rows.filter(pk__lte=through))
            made = HourlyUsage.objects.filter(hour=hour).count()
        yield hour, made


def hours(since: datetime | None) -> Iterator[datetime]:
    first = min(
        (
            found
            for found in (
                UsageRow.objects.aggregate(at=Min("created_at"))["at"],
                HourlyUsage.objects.aggregate(at=Min("hour"))["at"],
            )
            if found
        ),
        default=timezone.now(),
    )
    deleted = Progress.now().deleted_hour
    start = max(whole_hour(first), whole_hour(since) if since else whole_hour(first))
    hour = max(start, deleted + HOUR) if deleted else start
    while hour <= timezone.now() + HOUR:
        yield hour
        hour += HOUR

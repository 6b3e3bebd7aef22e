"""Makes the sums again from the usage rows that are kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import F, Min, Sum
from django.db.models.functions import TruncDate
from django.db.transaction import atomic
from django.utils import timezone

from billing.models import UsageRow
from billing.rollups.models import (
    COUNTS,
    DAILY_KEYS,
    KEYS,
    DailyUsage,
    HourlyUsage,
    Progress,
)
from billing.rollups.reading import whole_hour
from billing.rollups.summing import merge, summed

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
            merge(HourlyUsage, KEYS, summed(rows.filter(pk__lte=through)))
            made = HourlyUsage.objects.filter(hour=hour).count()
            rebuild_day(hour)
        yield hour, made


def rebuild_day(moment: datetime) -> None:
    """Make a day's sums from those of its hours."""
    start = moment.replace(hour=0)
    DailyUsage.objects.filter(day=start.date()).delete()
    hours = HourlyUsage.objects.filter(hour__gte=start, hour__lt=start + 24 * HOUR).order_by()
    by = {f"by_{name}": F(name) for name in DAILY_KEYS if name != "day"}
    sums = {f"of_{name}": Sum(name) for name in COUNTS}
    merge(
        DailyUsage,
        DAILY_KEYS,
        hours.values(by_day=TruncDate("hour", tzinfo=UTC), **by).annotate(**sums),
    )


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

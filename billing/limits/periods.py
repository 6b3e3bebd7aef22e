"""When a budget's period begins and ends: the calendar in UTC, weeks from Monday. Pure."""

from datetime import UTC, datetime, timedelta

NEVER = 2**53


def period_of(period: str, now_s: float) -> tuple[int, int]:
    """Return the Unix seconds of the begin and the end of the `period` that `now_s` is in."""
    if period == "total":
        return 0, NEVER
    now = datetime.fromtimestamp(now_s, UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        begin = day - timedelta(days=day.weekday())
        end = begin + timedelta(days=7)
    elif period == "month":
        begin = day.replace(day=1)
        end = (begin + timedelta(days=32)).replace(day=1)
    else:
        begin, end = day, day + timedelta(days=1)
    return int(begin.timestamp()), int(end.timestamp())


def moment(begin_s: int) -> datetime:
    return datetime.fromtimestamp(begin_s, UTC)

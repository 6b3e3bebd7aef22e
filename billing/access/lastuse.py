"""When keys were last used, by what was booked: never on a request's path."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import DatabaseError
from django.db.models import Q

from billing.among import Among
from billing.books.records import Record
from billing.models import ApiKey

log = logging.getLogger(__name__)


def touch(booked: Iterable[Record]) -> None:
    """Note the moments, to the second; a key that was used later already keeps that.

    One write per second in which a key was used last; what fails is told in the log and lost.
    """
    latest: dict[str, int] = {}
    for record in booked:
        latest[record.key_id] = max(int(record.at), latest.get(record.key_id, 0))
    used: defaultdict[int, list[str]] = defaultdict(list)
    for key_id, second in sorted(latest.items()):
        used[second].append(key_id)
    try:
        for second, key_ids in sorted(used.items()):
            at = datetime.fromtimestamp(second, UTC)
            earlier = Q(last_used_at=None) | Q(last_used_at__lt=at)
            ApiKey.objects.filter(earlier, Among("public_id", key_ids)).record(last_used_at=at)
    except (DatabaseError, ValueError, OverflowError) as problem:
        log.warning("the last use of %s keys was not noted: %s", len(latest), problem)

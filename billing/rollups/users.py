"""Which keys used what: from the sums by the hour, and from the rows that are not in them yet."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from django.db.models import Max

from billing.models import UsageRow
from billing.rollups.models import HourlyUsage, Progress
from billing.rollups.reading import whole_hour

MOST_KEYS = 50  # of one model at one provider
Offered = tuple[str, str]  # provider, model
Users = dict[str, datetime]


def users_of(what: Offered, since: datetime, lately: Mapping[Offered, Users]) -> Users:
    """Return the keys that used `what` since then, with the hour or the moment of the last time.

    From key to key through the index, however many hours each of them has. lately: what `latest`
    returned before.
    """
    slug, model_id = what
    found = dict(islice(lately.get(what, {}).items(), MOST_KEYS))
    rows = HourlyUsage.objects.filter(provider=slug, model_id=model_id)
    last = ""
    while len(found) < MOST_KEYS:
        key = rows.filter(key_id__gt=last).order_by("key_id").values_list("key_id", flat=True)
        following = key.first()
        if following is None:
            break
        newest = rows.filter(key_id=following).order_by("-hour")
        hour = newest.values_list("hour", flat=True).first()
        if hour is not None and hour >= whole_hour(since):
            found.setdefault(following, hour)
        last = following
    return found


def latest(since: datetime) -> Mapping[Offered, Users]:
    """Return who used what since then as far as it was not summed yet, with the moments."""
    rows = UsageRow.objects.filter(pk__gt=Progress.now().rolled_through, created_at__gt=since)
    found: defaultdict[Offered, Users] = defaultdict(dict)
    columns = rows.order_by().values_list("provider", "model_id", "key_id")
    for slug, model_id, key, at in columns.annotate(Max("created_at")):
        found[slug, model_id][key] = at
    return found

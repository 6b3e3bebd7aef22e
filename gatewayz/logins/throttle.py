"""How often a password may be tried, over all processes, without locking out who knows it.

A browser that has signed in before has a bound of its own: whoever tries names and passwords
elsewhere cannot use it up. Rows are added before the password is looked at, so that parallel
tries count, and taken back when it was right.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from gatewayz.logins.models import Attempt

WINDOW = timedelta(minutes=15)
FROM_ONE_ADDRESS = 5  # of one name
OF_ONE_NAME = 50  # from everywhere
OF_ONE_ADDRESS = 100  # of all names
OF_A_KNOWN_BROWSER = 10


class TooManyAttempts(Exception):
    """The password is not even looked at."""


@dataclass(frozen=True, slots=True)
class Bound:
    key: str
    most: int


def digest(*facts: str) -> str:
    return salted_hmac("gatewayz.logins", "\0".join(facts), algorithm="sha256").hexdigest()


def name_of(username: str) -> str:
    return digest("name", username.strip().casefold())


def bounds(name: str, address: str, device: str) -> list[Bound]:
    """Return what limits a try of `name` from there. device: of a browser that `name` has used."""
    if device:
        return [Bound(digest("device", name, device), OF_A_KNOWN_BROWSER)]
    return [
        Bound(digest("name at", name, address), FROM_ONE_ADDRESS),
        Bound(name, OF_ONE_NAME),
        Bound(digest("address", address), OF_ONE_ADDRESS),
    ]


def take(limits: Iterable[Bound]) -> list[int]:
    """Count a try and return its rows, for give_back; raises TooManyAttempts."""
    limits, now = list(limits), timezone.now()
    Attempt.objects.filter(at__lt=now - WINDOW).delete()
    if any(count(bound, now) >= bound.most for bound in limits):
        raise TooManyAttempts
    rows = Attempt.objects.bulk_create([Attempt(key=bound.key, at=now) for bound in limits])
    taken = [row.pk for row in rows]
    if any(count(bound, now) > bound.most for bound in limits):
        give_back(taken)
        raise TooManyAttempts
    return taken


def give_back(taken: Iterable[int]) -> None:
    Attempt.objects.filter(pk__in=list(taken)).delete()


def count(bound: Bound, now: datetime) -> int:
    return Attempt.objects.filter(key=bound.key, at__gte=now - WINDOW).count()

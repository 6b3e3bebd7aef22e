"""Numbers the configuration's states. A revision commits together with the change that made it."""

import logging

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F

from catalog.glance import glance
from catalog.models import Revision, State
from providers.configuration import changed

CHANNEL = "gatewayz:revision"
NUMBER = f"SELECT number FROM {State._meta.db_table} WHERE id = 1"
PATIENCE_S = 0.5
MOST_MODELS = 200  # named in one revision; where more changed, all are read
log = logging.getLogger(__name__)


def current() -> int:
    """Return the number now; raises django.db.Error."""
    [(number,)] = glance(NUMBER)
    return int(number)


def since(number: int) -> set[str] | None:
    """Return the parts that changed after `number`; None when the record does not tell.

    It does not when it no longer reaches back, or when an older database was put in place.
    """
    rows = list(Revision.objects.filter(number__gt=number).values_list("number", "parts"))
    if not rows or len(rows) != max(n for n, _ in rows) - number:
        return None
    return {part for _, parts in rows for part in parts}


def record(sender: object, parts: set[str], summary: str, author: str, **_: object) -> None:
    """Give the change that is being made its number."""
    State.objects.filter(pk=1).update(number=F("number") + 1)
    number = current()
    parts = gathered(parts)
    Revision.objects.create(
        number=number, parts=sorted(parts), summary=summary[:300], author=author[:150]
    )
    transaction.on_commit(lambda: publish(number))


def gathered(parts: set[str]) -> set[str]:
    """Return the parts, with one for all models in place of very many."""
    models = {part for part in parts if part.startswith("model:")}
    return parts if len(models) <= MOST_MODELS else parts - models | {"models"}


def client() -> redis.Redis:
    """Return a client that gives up early: whoever waits for Redis could look by themselves."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
    )


def publish(number: int) -> None:
    """Wake other processes at once where Redis is there; without it they look by themselves."""
    if not settings.REDIS_URL:
        return
    try:
        with client() as server:
            server.publish(CHANNEL, number)
    except redis.RedisError as problem:
        log.warning("revision %s was not published, processes will poll: %s", number, problem)


changed.connect(record, dispatch_uid="catalog.revisions")

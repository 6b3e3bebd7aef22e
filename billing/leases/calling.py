"""Tells other processes at once that somebody waits for money that they may have idle."""

import logging
import threading
from collections.abc import Callable

import redis
from django.conf import settings

from catalog import revisions

CHANNEL = "gatewayz:leases"
log = logging.getLogger(__name__)


def call(account_id: int) -> None:
    """Announce it where Redis is there; without it they look by themselves."""
    if not settings.REDIS_URL:
        return
    try:
        with revisions.client() as server:
            server.publish(CHANNEL, account_id)
    except redis.RedisError as problem:
        log.warning("a call for idle money was not published, processes will look: %s", problem)


def waiting(stopped: threading.Event) -> Callable[[float], object]:
    """Return a wait that ends early when somebody calls, or when `stopped` is set."""
    if not settings.REDIS_URL:
        return stopped.wait
    pubsub = revisions.client().pubsub(ignore_subscribe_messages=True)

    def wait(seconds: float) -> object:
        try:
            if not pubsub.subscribed:
                pubsub.subscribe(CHANNEL)
            return pubsub.get_message(timeout=seconds)
        except redis.RedisError:
            pubsub.reset()
            return stopped.wait(seconds)

    return wait

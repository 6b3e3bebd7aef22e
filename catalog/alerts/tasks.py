"""What is done about alerts by itself, on schedules that admins edit."""

from collections.abc import Sequence
from typing import Any

from celery import shared_task

from catalog.alerts import retention, telling
from catalog.alerts.delivering import deliver
from catalog.alerts.evaluating import QUICK, SLOW, evaluate
from catalog.alerts.models import Delivery
from catalog.alerts.raising import queue

MOST_QUEUED = 100
DELIVERY_EXPIRES_S = 600


@shared_task(name="alerts.look", expires=120)
def look() -> str:
    """Look for alerts, tell what is due, and send again what waits."""
    changed = evaluate(QUICK)
    return f"{changed} alerts began or ended; {send(telling.tell())}"


@shared_task(name="alerts.look_ahead", expires=3600)
def look_ahead() -> str:
    """Look for what changes slowly: deprecations, aliases, catalogues that shrink."""
    return f"{evaluate(SLOW)} alerts began or ended; {send(telling.tell())}"


@shared_task(name="alerts.tell", expires=120)
def tell() -> str:
    """Tell what is due."""
    return send(telling.tell())


def send(made: Sequence[int]) -> str:
    """Queue what was made and what else is due."""
    waiting = Delivery.objects.due().order_by("next_at").values_list("pk", flat=True)
    chosen = list(dict.fromkeys([*made, *waiting[:MOST_QUEUED]]))
    queued = sum(queue("alerts.deliver", pk, expires=DELIVERY_EXPIRES_S) for pk in chosen)
    return f"{queued} deliveries queued"


@shared_task(name="alerts.deliver", bind=True)
def deliver_one(self: Any, pk: int) -> str:
    """Send one delivery; what fails comes back after a pause. The claim keeps it from doubling."""
    said, wait_s = deliver(pk)
    if wait_s is not None:
        queue("alerts.deliver", pk, countdown=wait_s, expires=wait_s + DELIVERY_EXPIRES_S)
    return said


@shared_task(name="alerts.sweep", expires=3600)
def sweep() -> str:
    """Delete incidents and deliveries of long ago."""
    return f"{retention.sweep()} rows deleted"

"""One attempt at one delivery, and when the next one is due."""

import random
from datetime import timedelta

from django.utils import timezone

from catalog.alerts.models import FAILED, SENT, WAITING, Delivery
from catalog.alerts.sending import Later, Refused, send

MOST_ATTEMPTS = 11
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 3600.0
MOST_PROBLEM = 300


def deliver(pk: int) -> tuple[str, float | None]:
    """Try once; return the sentence for the log, and in how many seconds to try again."""
    delivery = Delivery.objects.claim(pk)
    if delivery is None:
        return f"delivery {pk} is not due, or is being sent", None
    try:
        send(delivery)
    except Refused as problem:
        delivery.ended(state=FAILED, problem=str(problem)[:MOST_PROBLEM])
        return f"delivery {pk} to {delivery.channel} failed: {problem}", None
    except Later as problem:
        return put_off(delivery, problem)
    delivery.ended(state=SENT, sent_at=timezone.now(), problem="")
    return f"delivery {pk} to {delivery.channel} sent", None


def put_off(delivery: Delivery, problem: Later) -> tuple[str, float | None]:
    said = str(problem)[:MOST_PROBLEM]
    if delivery.attempts >= MOST_ATTEMPTS:
        delivery.ended(state=FAILED, problem=said)
        return f"delivery {delivery.pk} to {delivery.channel} given up: {said}", None
    wait_s = pause_s(delivery.attempts, problem.wait_s)
    again = timezone.now() + timedelta(seconds=wait_s)
    delivery.ended(state=WAITING, next_at=again, problem=said)
    return f"delivery {delivery.pk} to {delivery.channel} again in {wait_s:.0f} s: {said}", wait_s


def pause_s(attempts: int, asked_s: float | None) -> float:
    """Return the wait after so many attempts: doubling, with chance, or what the receiver asks."""
    backoff = FIRST_WAIT_S * 2 ** (attempts - 1) * random.uniform(0.8, 1.2)
    return min(LONGEST_WAIT_S, max(backoff, asked_s or 0.0))

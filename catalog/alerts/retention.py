"""Keeps incidents and deliveries for a while, deleted in small batches."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from catalog.alerts.models import FIRING, SENDING, WAITING, Alert, Delivery

BATCH = 500


def sweep() -> int:
    """Delete what is over and old; return how many rows."""
    edge = timezone.now() - timedelta(days=settings.ALERT_HISTORY_DAYS)
    sent = Delivery.objects.exclude(state__in=(WAITING, SENDING)).filter(created_at__lt=edge)
    over = Alert.objects.exclude(state=FIRING).filter(last_seen_at__lt=edge)
    return clear(sent) + clear(over)


def clear(rows: QuerySet) -> int:
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        total += len(keys)
        rows.model.objects.filter(pk__in=keys).delete()
    return total

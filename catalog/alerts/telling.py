"""From incidents to messages: all that is due is one message per channel."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.alerts.digest import message, trial_message
from catalog.alerts.models import FIRING, Alert, Channel, Delivery
from catalog.alerts.raising import chunks


def tell() -> list[int]:
    """Make the deliveries that are due; return their primary keys. Each alert is told once."""
    now = timezone.now()
    with transaction.atomic():
        due = list(Alert.objects.select_for_update().filter(tell_at__lte=now).order_by("pk"))
        made = (
            [
                delivery(channel, mine)
                for channel in Channel.objects.filter(enabled=True).prefetch_related("rules")
                if (mine := meant_for(channel, due))
            ]
            if due
            else []
        )
        heard = {alert.pk for _, mine in made for alert in mine}
        mark(due, heard, now)
    return [row.pk for row, _ in made]


def meant_for(channel: Channel, alerts: Sequence[Alert]) -> list[Alert]:
    kinds = {rule.kind for rule in channel.rules.all()}
    return [alert for alert in alerts if not kinds or alert.kind in kinds]


def delivery(channel: Channel, alerts: list[Alert]) -> tuple[Delivery, list[Alert]]:
    told = message([shown(alert) for alert in alerts])
    row = Delivery.objects.create(channel=channel, message=told, title=told["title"])
    for some in chunks(alerts):
        row.alerts.add(*some)
    return row, alerts


def mark(due: Sequence[Alert], heard: set[int], now: datetime) -> None:
    """Note what is told. What no channel takes is done with, too, and begins no cool-down."""
    for some in chunks(due):
        rows = Alert.objects.filter(pk__in=[alert.pk for alert in some])
        fired = [alert.pk for alert in some if alert.state == FIRING and alert.pk in heard]
        rows.update(tell_at=None)
        rows.filter(pk__in=fired).update(told_at=now)


def shown(alert: Alert) -> Mapping[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "subject": alert.subject,
        "state": alert.state,
        "text": alert.text,
        "details": alert.details,
        "count": alert.count,
        "first_seen_at": alert.first_seen_at.isoformat(),
        "resolved_at": alert.resolved_at and alert.resolved_at.isoformat(),
        "ending": alert.ending,
    }


def trial(channel: Channel) -> Delivery:
    """Make a delivery that only shows that the channel works."""
    told = trial_message()
    return Delivery.objects.create(channel=channel, message=told, title=told["title"])

"""Incidents begin, go on and end. Everything here is safe inside a caller's transaction."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import Case, F, Max, Value, When
from django.utils import timezone
from kombu.exceptions import OperationalError

from catalog.alerts.kinds import KINDS, Finding
from catalog.alerts.models import FIRING, RESOLVED, Alert, AlertRule

AT_ONCE = 500
GATHER_S = 5  # what is raised within it is told together
MOST_SUBJECT, MOST_ENDING = 320, 300
log = logging.getLogger(__name__)


def raise_alert(
    kind: str,
    subject: str,
    text: str,
    details: Mapping[str, Any] | None = None,
    at_once: bool = True,
) -> bool:
    """Begin or continue the incident; return whether it is new. KeyError: no such kind.

    at_once: have it told in seconds; otherwise with the next look, which asks no broker now.
    """
    rule = AlertRule.objects.of(kind)
    if not rule.enabled:
        return False
    found = Finding(subject[:MOST_SUBJECT], text, details or {})
    with transaction.atomic():
        new = begin(rule, [found], timezone.now())
    if new and at_once:
        tell_soon()
    return bool(new)


def resolve(kind: str, subject: str, ending: str = "") -> bool:
    """End the incident; False if there was none."""
    if kind not in KINDS:
        raise KeyError(kind)
    rows = Alert.objects.filter(kind=kind, subject=subject[:MOST_SUBJECT], state=FIRING)
    if not end(rows, timezone.now(), ending):
        return False
    tell_soon()
    return True


def reconcile(rule: AlertRule, findings: Iterable[Finding], now: datetime) -> int:
    """Make the incidents of a kind what was found; return how many began or ended."""
    found = {f.subject[:MOST_SUBJECT]: f for f in findings}
    rows = Alert.objects.filter(kind=rule.kind, state=FIRING)
    firing = list(rows.values_list("pk", "subject"))
    if not found and not firing:
        return 0  # as nearly always: no lock is taken
    with transaction.atomic():
        new = begin(rule, list(found.values()), now)
        over = [pk for pk, subject in firing if subject not in found]
        ended = sum(
            end(Alert.objects.filter(pk__in=chunk), now, "it is no longer so")
            for chunk in chunks(over)
        )
    return new + ended


def begin(rule: AlertRule, findings: Sequence[Finding], now: datetime) -> int:
    """Count what fires already, and add what is new; return how many are."""
    return sum(begin_some(rule, chunk, now) for chunk in chunks(findings))


def begin_some(rule: AlertRule, findings: Sequence[Finding], now: datetime) -> int:
    subjects = {f.subject[:MOST_SUBJECT]: f for f in findings}
    rows = Alert.objects.filter(kind=rule.kind, subject__in=subjects)
    firing = list(rows.filter(state=FIRING))
    if firing:
        rows.filter(state=FIRING).update(last_seen_at=now, count=F("count") + 1)
        renew([(row, subjects[row.subject]) for row in firing])
    fresh = subjects.keys() - {row.subject for row in firing}
    if not fresh:
        return 0
    since = now - timedelta(minutes=rule.cooldown_minutes)
    told = rows.filter(subject__in=fresh, told_at__gt=since).order_by().values_list("subject")
    quiet = dict(told.annotate(last=Max("told_at")))
    made = [incident(rule, subjects[name], quiet.get(name), now) for name in sorted(fresh)]
    Alert.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def renew(seen: Sequence[tuple[Alert, Finding]]) -> None:
    """Give incidents the words of today, where they differ."""
    changed = [(row, found) for row, found in seen if row.text != found.text]
    for row, found in changed:
        row.text, row.details = found.text, dict(found.details)
    if changed:
        Alert.objects.bulk_update([row for row, _ in changed], ["text", "details"])


def incident(rule: AlertRule, found: Finding, told: datetime | None, now: datetime) -> Alert:
    """Return a new row; within the cool-down of the last one it is told when that is over."""
    return Alert(
        kind=rule.kind,
        subject=found.subject[:MOST_SUBJECT],
        text=found.text,
        details=dict(found.details),
        first_seen_at=now,
        last_seen_at=now,
        tell_at=now if told is None else told + timedelta(minutes=rule.cooldown_minutes),
    )


def end(rows: Any, now: datetime, ending: str) -> int:
    """Resolve rows that fire; an end is told only of what was told. Return how many."""
    told = Case(When(told_at__isnull=False, then=Value(now)), default=None)
    return rows.filter(state=FIRING).update(
        state=RESOLVED, resolved_at=now, ending=ending[:MOST_ENDING], tell_at=told
    )


def chunks(items: Sequence[Any]) -> Iterable[Any]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def tell_soon() -> None:
    """Have what is due told in a few seconds; if no broker answers, the next look does it."""
    transaction.on_commit(lambda: queue("alerts.tell", countdown=GATHER_S))


def queue(task: str, *args: Any, **options: Any) -> bool:
    try:
        current_app.send_task(task, args, retry=False, **options)
    except (OperationalError, OSError) as problem:
        log.warning("%s was not queued, the next look at alerts does it: %s", task, problem)
        return False
    return True

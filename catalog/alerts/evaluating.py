"""Looks for what is wrong, kind by kind, and makes the incidents follow."""

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from catalog.alerts.kinds import KINDS
from catalog.alerts.models import FIRING, Alert, AlertRule
from catalog.alerts.raising import end, reconcile, tell_soon
from catalog.alerts.registry import EVALUATORS

QUICK = tuple(kind.name for kind in KINDS.values() if not kind.slow)
SLOW = tuple(kind.name for kind in KINDS.values() if kind.slow)
OF_SYNCS = ("quarantined", "sync_failing", "api_drift", "catalogue_shrank")
log = logging.getLogger(__name__)


def evaluate(kinds: Collection[str] = QUICK, now: datetime | None = None) -> int:
    """Look for these kinds; return how many incidents began or ended.

    A kind that cannot be looked for is logged; the others are looked for all the same.
    """
    now, changed = now or timezone.now(), 0
    rules = {rule.kind: rule for rule in AlertRule.objects.filter(kind__in=kinds)}
    for kind in kinds:
        try:
            changed += look(rules.get(kind) or AlertRule.objects.of(kind), now)
        except Exception:
            log.exception("alerts of the kind %s were not looked for", kind)
    return changed


def look(rule: AlertRule, now: datetime) -> int:
    firing = Alert.objects.filter(kind=rule.kind, state=FIRING)
    if not rule.enabled:
        return end(firing, now, "its rule was switched off") if firing.exists() else 0
    evaluator = EVALUATORS.get(rule.kind)
    if evaluator is not None:
        return reconcile(rule, evaluator(rule, now), now)
    if not rule.window_minutes:
        return 0
    quiet = firing.filter(last_seen_at__lt=now - rule.window)
    ending = f"not seen for {rule.window_minutes} minutes"
    return end(quiet, now, ending) if quiet.exists() else 0


def after_sync() -> None:
    """Look at what a sync, or an admin's word on one, may have changed; told in seconds."""
    try:
        if evaluate(OF_SYNCS):
            tell_soon()
    except DatabaseError as problem:
        log.warning("alerts of syncs were not looked for: %s", problem)

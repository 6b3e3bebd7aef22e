"""Expired block rules: they hold until a probe decides, or until none can."""

import logging
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from catalog.evidence.models import Evidence, OfferHealth, ProbeBudget
from catalog.evidence.probing import (
    Subject,
    blocked,
    claim,
    examine,
    subject,
    unexpired_blocks,
    unfit,
)
from catalog.evidence.verdicts import NOT_FOUND, OK, PROBE, SOFT
from catalog.models import BlockRule, Offer
from catalog.values import HALF_OPEN_S
from providers.models import Provider
from providers.values import Endpoint

HELD_AGAIN = timedelta(days=1)
MOST_PROBES = 3  # of the offers that one pattern holds
HELD, ENDED, OPEN = "held for another day", "ended", "half-open"
log = logging.getLogger(__name__)


def decide_expired() -> dict[str, int]:
    """Decide every expired rule; return how many came to what."""
    came: dict[str, int] = {}
    for rule in BlockRule.objects.expired().select_related("provider"):
        verdict, why = decide(rule, timezone.now())
        came[verdict] = came.get(verdict, 0) + 1
        if verdict == OPEN:
            continue
        row = BlockRule.objects.filter(pk=rule.pk, enabled=True, expires_at=rule.expires_at)
        if verdict == ENDED:
            row.update(enabled=False)
        else:
            row.update(expires_at=timezone.now() + HELD_AGAIN)
        log.info("expired block rule %s: %s, %s", rule, verdict, why)
    return came


def decide(rule: BlockRule, now: datetime) -> tuple[str, str]:
    """Return what becomes of `rule`, and why. One answer ends it; not found holds it again."""
    assert rule.expires_at is not None
    if (now - rule.expires_at).total_seconds() > HALF_OPEN_S:
        return ENDED, "nothing was decided for a day"
    subjects = candidates(rule)
    if not subjects:
        return ENDED, "none of its offers can be probed"
    outcomes = [outcome_of(it, rule.expires_at, now) for it in subjects]
    if OK in outcomes:
        return ENDED, "a probe was answered"
    if NOT_FOUND in outcomes:
        return HELD, "a probe found no such model"
    return OPEN, "no probe has decided yet"


def candidates(rule: BlockRule) -> list[Subject]:
    """Return some of the offers that this rule alone holds and that can be probed."""
    value, blocks = rule.value_of(), unexpired_blocks()
    endpoints: dict[int, Endpoint | None] = {}
    found: list[Subject] = []
    for row in held(rule).select_related("model", "provider", "in_force__reference").iterator(1000):
        if not value.matches(row.value_of()):
            continue
        if row.provider_id not in endpoints:
            endpoints[row.provider_id] = endpoint_of(row.provider)
        endpoint = endpoints[row.provider_id]
        it = subject(row, endpoint) if endpoint is not None else None
        if it is not None and not (unfit(it) or blocked(it, blocks)):
            found.append(it)
        if len(found) == MOST_PROBES:
            break
    return found


def held(rule: BlockRule) -> QuerySet[Offer]:
    """Return the offers among which the pattern's matches are."""
    rows = Offer.objects.alive().filter(enabled=True, provider__enabled=True).order_by("pk")
    return rows.filter(provider=rule.provider) if rule.provider else rows


def endpoint_of(provider: Provider) -> Endpoint | None:
    """Return the provider's endpoint; None if it gets no probes at all."""
    return provider.endpoint() if ProbeBudget.objects.of(provider.pk).daily else None


def outcome_of(it: Subject, since: datetime, now: datetime) -> str:
    """Return what a probe since then proved, whoever asked for it; if none did, of one now."""
    probes = Evidence.objects.filter(offer=it.value.id, source=PROBE, at__gt=since)
    known = probes.exclude(outcome=SOFT).values_list("outcome", flat=True).first()
    if known:
        return known
    waits = OfferHealth.objects.filter(pk=it.value.id, next_probe_at__gt=now).exists()
    if waits or not ProbeBudget.objects.take(it.row.provider_id, now.date()):
        return ""
    return examine(it).outcome if claim(it.value.id, now) else ""

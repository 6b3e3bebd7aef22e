"""Alerts of offers and providers, from what evidence counts."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Sum

from catalog.alerts.kinds import Finding
from catalog.alerts.models import AlertRule
from catalog.alerts.registry import evaluates
from catalog.evidence.models import OfferHealth, OfferHour, OfferMinute
from catalog.evidence.verdicts import DOWN, reason_of

Counts = dict[tuple[str, str], list[int]]  # (slug, model id): answered, failed


def counted(since: datetime) -> Counts:
    """Return the attempts since then, by offer."""
    found: Counts = defaultdict(lambda: [0, 0])
    for table in (OfferMinute, OfferHour):
        rows = table.objects.filter(at__gt=since).order_by()
        named = rows.values_list("offer__provider__slug", "offer__model__model_id")
        for slug, model, ok, failed in named.annotate(Sum("ok"), Sum("failed")):
            found[slug, model][0] += ok
            found[slug, model][1] += failed
    return found


def failing(ok: int, failed: int, rule: AlertRule) -> bool:
    judged = ok + failed
    return judged >= max(1, rule.least) and failed >= rule.threshold * judged and failed > 0


def by_provider(counts: Counts) -> dict[str, tuple[int, int]]:
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (slug, _), (ok, failed) in counts.items():
        totals[slug][0] += ok
        totals[slug][1] += failed
    return {slug: (ok, failed) for slug, (ok, failed) in totals.items()}


@evaluates("provider_failing")
def failing_providers(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    for slug, (ok, failed) in by_provider(counted(now - rule.window)).items():
        if failing(ok, failed, rule):
            yield told(slug, ok, failed, rule.window)


@evaluates("offer_failing")
def failing_offers(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """A provider that fails as a whole is one alert, not one for each of its offers."""
    counts = counted(now - rule.window)
    bad = {key: tried for key, tried in counts.items() if failing(tried[0], tried[1], rule)}
    if not bad:
        return
    whole = AlertRule.objects.of("provider_failing")
    recent = by_provider(counted(now - whole.window)) if whole.enabled else {}
    broken = {slug for slug, (ok, failed) in recent.items() if failing(ok, failed, whole)}
    for (slug, model), (ok, failed) in bad.items():
        if slug not in broken:
            yield told(f"{model} at {slug}", ok, failed, rule.window)


def told(subject: str, ok: int, failed: int, window: timedelta) -> Finding:
    minutes = int(window.total_seconds() // 60)
    share = 100 * failed / (ok + failed)
    text = f"{share:.0f} % of {ok + failed:,} attempts failed within {minutes} minutes"
    return Finding(subject, text, {"answered": ok, "failed": failed, "minutes": minutes})


@evaluates("offer_down")
def offers_down(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    rows = OfferHealth.objects.filter(
        state=DOWN,
        down_since__lte=now - rule.window,
        offer__retired_at=None,
        offer__enabled=True,
        offer__provider__enabled=True,
    )
    named = ("offer__model__model_id", "offer__provider__slug", "down_since")
    for model, slug, since in rows.values_list(*named).iterator(2000):
        yield Finding(f"{model} at {slug}", reason_of(DOWN, since), {"since": since.isoformat()})

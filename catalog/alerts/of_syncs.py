"""Alerts of syncs: held back, failing, shrinking, and lists that read differently."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from catalog.alerts.kinds import Finding
from catalog.alerts.models import AlertRule
from catalog.alerts.registry import evaluates
from catalog.syncs.models import Changeset, SyncRun
from providers.models import Provider

GOOD = ("applied", "unchanged", "quarantined")  # the lists could be read
ENDED = (*GOOD, "failed")
SHOWN = 5
MOST_FAILED = 100


@evaluates("quarantined")
def held_back(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    rows = Changeset.objects.filter(state="quarantined").select_related("run__provider")
    for row in rows.annotate(size=Count("changes")):
        said = "; ".join(row.reasons) or "the guards held it back"
        text = f"{row.size:,} changes wait for an admin: {said}"
        yield Finding(row.run.provider.slug, text, {"changeset": row.pk, "reasons": row.reasons})


def newest(condition: Q) -> Subquery:
    """The primary key of each provider's newest run that meets the condition."""
    rows = SyncRun.objects.filter(condition, provider=OuterRef("pk")).order_by("-started_at", "-pk")
    return Subquery(rows.values("pk")[:1])


@evaluates("sync_failing")
def failing(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    good = Coalesce(newest(Q(state__in=GOOD)), 0)
    since = (
        Provider.objects.filter(enabled=True)
        .order_by()
        .annotate(good=good, failed=newest(Q(state="failed")))
    )
    for slug, pk, good_pk in since.filter(failed__gt=F("good")).values_list("slug", "pk", "good"):
        failed = SyncRun.objects.filter(provider=pk, state="failed", pk__gt=good_pk)
        words = list(failed.values_list("message", flat=True)[:MOST_FAILED])
        if len(words) >= max(1, rule.threshold):
            text = f"{len(words)} syncs in a row failed, the last one: {words[0]}"
            yield Finding(slug, text, {"message": words[0]})


@evaluates("api_drift")
def drifting(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Rows that are refused, or a list that is none any more."""
    last = Provider.objects.filter(enabled=True).annotate(last=newest(Q(state__in=ENDED)))
    runs = SyncRun.objects.filter(pk__in=last.exclude(last=None).order_by().values("last"))
    suspects = runs.filter(Q(unreadable=True) | Q(refused_count__gte=max(1, rule.least)))
    for run in suspects.select_related("provider"):
        slug, refused = run.provider.slug, run.refused_count
        if run.unreadable:
            yield Finding(slug, f"its list cannot be read: {run.message}", {"run": run.pk})
        elif refused >= rule.threshold * (run.rows + refused):
            first = run.refused[:SHOWN]
            said = "; ".join(f"{row['id']}: {row['reason']}" for row in first)
            text = f"{refused:,} refused, of {run.rows:,} rows: {said}"
            yield Finding(slug, text, {"run": run.pk, "refused": refused})


@evaluates("catalogue_shrank")
def shrunk(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Compare what is listed now with the most that was within the window."""
    read = SyncRun.objects.filter(
        state__in=("applied", "unchanged"), pages__gt=0, started_at__gte=now - rule.window
    )
    counts: dict[str, list[int]] = defaultdict(list)
    rows = read.filter(provider__enabled=True).order_by("started_at", "pk")
    for slug, unique in rows.values_list("provider__slug", "unique"):
        counts[slug].append(unique)
    for slug, listed in counts.items():
        most, left = max(listed), listed[-1]
        if most - left >= max(1, rule.least, rule.threshold * most):
            days = rule.window.total_seconds() / 86_400
            text = f"{left:,} models are listed, {most:,} were within {days:.3g} days"
            yield Finding(slug, text, {"listed": left, "most": most})

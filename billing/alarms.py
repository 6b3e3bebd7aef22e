"""Alerts that need to know who used what: registered here, since the catalogue knows no usage."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.dispatch import receiver

from billing.costs.pricing import DEFAULT
from billing.limits.models import BudgetNotice
from billing.limits.notices import reached
from billing.limits.periods import moment, period_of
from billing.models import ApiKey, UsageRow
from billing.money import written
from billing.rollups.users import latest, users_of
from catalog.alerts.kinds import Finding
from catalog.alerts.models import AlertRule
from catalog.alerts.raising import raise_alert
from catalog.alerts.registry import evaluates
from catalog.models import Offer

LONGEST = timedelta(days=32)  # of a budget's periods that end
OWNERS = ("budget__account", "budget__key", "budget__member__user")
REFUSED = {
    "secret_refused": "the provider refuses it",
    "out_of_credit": "its account there has no credit left",
}


@evaluates("unpriced_traffic")
def unpriced(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Tell of what was charged at a plan's default, because nobody knew the offer's price."""
    rows = UsageRow.objects.filter(price_source=DEFAULT, created_at__gt=now - rule.window)
    for model, slug, count in (
        rows.order_by().values_list("model_id", "provider").annotate(Count("pk"))
    ):
        if count >= max(1, rule.threshold):
            text = (
                f"{count:,} requests within {rule.window_minutes} minutes had no price of their own"
            )
            yield Finding(f"{model} at {slug}", text, {"requests": count})


@evaluates("budget")
def budgets(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Tell of the edges that were reached in the periods that are not over."""
    rows = BudgetNotice.objects.filter(budget__enabled=True, period_began_at__gt=now - LONGEST)
    forever = BudgetNotice.objects.filter(budget__enabled=True, budget__period="total")
    for row in (rows | forever).select_related("budget", *OWNERS).distinct():
        if row.period_began_at == moment(period_of(row.budget.period, now.timestamp())[0]):
            yield at_edge(row)


@receiver(reached, dispatch_uid="billing.alarms.budget")
def tell_edge(notice: BudgetNotice, **_: object) -> None:
    found = at_edge(notice)
    raise_alert("budget", found.subject, found.text, found.details)


def at_edge(row: BudgetNotice) -> Finding:
    budget = row.budget
    edge = budget.soft_nano if row.edge == "soft" else budget.hard_nano
    said = "no more is spent" if row.edge == "hard" else "requests go on"
    period = "in all" if budget.period == "total" else f"this {budget.period}"
    return Finding(
        f"{row.edge} edge of the budget of {budget.scope} {budget.owner()}",
        f"{written(row.spent_nano)} were spent {period}, the edge is {written(edge)}: {said}",
        {"budget": budget.pk, "edge": row.edge, "period": budget.period},
    )


@evaluates("deprecation_ahead")
def deprecated(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Tell of what is deprecated and in use; what nobody uses is shown in lists alone."""
    edge = now.date() + timedelta(days=rule.threshold)
    soon = Q(deprecated_at__lte=edge) | Q(deprecated=True, deprecated_at=None)
    rows = Offer.objects.alive().filter(soon, enabled=True, provider__enabled=True)
    lately = latest(now - rule.window)
    for row in rows.select_related("model", "provider").order_by("pk").iterator(500):
        what = (row.provider.slug, row.model.model_id)
        if used := users_of(what, now - rule.window, lately):
            yield ending(row, used)


def ending(row: Offer, used: dict[str, datetime]) -> Finding:
    when = f"ends {row.deprecated_at}" if row.deprecated_at else "is deprecated"
    what = f", {row.replaced_by} replaces it" if row.replaced_by else ""
    names = {key.public_id: str(key) for key in ApiKey.objects.filter(public_id__in=used)}
    keys = [{"key": names.get(k, k), "last_used": at.isoformat()} for k, at in used.items()]
    said = ", ".join(one["key"] for one in keys[:10])
    more = f" and {len(keys) - 10} more" if len(keys) > 10 else ""
    details = {
        "ends": row.deprecated_at and row.deprecated_at.isoformat(),
        "replaced_by": row.replaced_by,
        "keys": keys,
    }
    return Finding(str(row), f"it {when}{what}; used by {said}{more}", details)


def tell_refused(refused: dict[tuple[str, int], str]) -> None:
    """Raise an alert for each credential, by provider and number, that was refused, and why."""
    for (slug, credential), outcome in refused.items():
        text = f"{REFUSED[outcome]}; requests with it fail"
        details = {"provider": slug, "credential": credential, "outcome": outcome}
        subject = f"credential {credential} of {slug}"
        raise_alert("credential_refused", subject, text, details, at_once=False)

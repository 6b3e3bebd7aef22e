"""Alerts that need to know who used what: registered here, since the catalogue knows no usage."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q

from billing.models import ApiKey, UsageRow
from catalog.alerts.kinds import Finding
from catalog.alerts.models import AlertRule
from catalog.alerts.raising import raise_alert
from catalog.alerts.registry import evaluates
from catalog.models import Offer

MOST_KEYS = 50  # that one alert names
REFUSED = {
    "secret_refused": "the provider refuses it",
    "out_of_credit": "its account there has no credit left",
}


@evaluates("unpriced_traffic")
def unpriced(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    rows = UsageRow.objects.filter(cost_nano=None, created_at__gt=now - rule.window).order_by()
    for model, slug, count in rows.values_list("model_id", "provider").annotate(Count("pk")):
        if count >= max(1, rule.threshold):
            text = f"{count:,} requests within {rule.window_minutes} minutes have no price"
            yield Finding(f"{model} at {slug}", text, {"requests": count})


@evaluates("deprecation_ahead")
def deprecated(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Tell of what is deprecated and in use; what nobody uses is shown in lists alone."""
    edge = now.date() + timedelta(days=rule.threshold)
    soon = Q(deprecated_at__lte=edge) | Q(deprecated=True, deprecated_at=None)
    rows = Offer.objects.alive().filter(soon, enabled=True, provider__enabled=True)
    for row in rows.select_related("model", "provider").order_by("pk").iterator(500):
        used = users(row.provider.slug, row.model.model_id, now - rule.window)
        if used:
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


def users(slug: str, model_id: str, since: datetime) -> dict[str, datetime]:
    """Return the keys that used a model at a provider since then, with their last time.

    From key to key through the index, however many requests each of them made.
    """
    found: dict[str, datetime] = {}
    rows = UsageRow.objects.filter(provider=slug, model_id=model_id)
    last = ""
    while len(found) < MOST_KEYS:
        key = rows.filter(key_id__gt=last).order_by("key_id").values_list("key_id", flat=True)
        following = key.first()
        if following is None:
            break
        newest = rows.filter(key_id=following).order_by("-created_at")
        at = newest.values_list("created_at", flat=True).first()
        if at is not None and at > since:
            found[following] = at
        last = following
    return found


def tell_refused(refused: dict[tuple[str, int], str]) -> None:
    """Raise an alert for each credential, by provider and number, that was refused, and why."""
    for (slug, credential), outcome in refused.items():
        text = f"{REFUSED[outcome]}; requests with it fail"
        details = {"provider": slug, "credential": credential, "outcome": outcome}
        subject = f"credential {credential} of {slug}"
        raise_alert("credential_refused", subject, text, details, at_once=False)

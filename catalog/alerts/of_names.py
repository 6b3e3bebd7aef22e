"""Alerts of aliases that lead nowhere."""

from collections.abc import Iterator
from datetime import datetime

from catalog.alerts.kinds import Finding
from catalog.alerts.models import AlertRule
from catalog.alerts.registry import evaluates
from catalog.loading import load
from catalog.models import ModelAlias, Offer
from catalog.naming import Reader, offers_of
from catalog.trace import SILENT
from catalog.values import Snapshot


@evaluates("alias_gone")
def gone(rule: AlertRule, now: datetime) -> Iterator[Finding]:
    """Most aliases name a model that is offered; only the others are resolved as a request is."""
    aliases = dict(ModelAlias.objects.values_list("alias", "target"))
    offered = Offer.objects.alive().filter(model__model_id__in=set(aliases.values()))
    plain = set(offered.order_by().values_list("model__model_id", flat=True))
    odd = {alias: target for alias, target in aliases.items() if target not in plain}
    snapshot = load() if odd else Snapshot()
    for alias, target in sorted(odd.items()):
        if not leads_somewhere(snapshot, target):
            yield Finding(alias, f"it leads to {target}, which nobody offers", {"target": target})


def leads_somewhere(snapshot: Snapshot, name: str) -> bool:
    target = Reader(snapshot, SILENT).find(name)
    if target is None:
        return False
    offers = offers_of(snapshot, target)
    return any(target.pin in (None, offer.slug) for offer in offers)

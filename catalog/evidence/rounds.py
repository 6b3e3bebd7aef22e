"""Which offers are probed, by the schedule and by hand."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from catalog.evidence.models import ProbeBudget
from catalog.evidence.probing import (
    Subject,
    blocked,
    claim,
    enabled_blocks,
    examine,
    subject,
    unexpired_blocks,
    unfit,
)
from catalog.evidence.verdicts import DOWN, Finding
from catalog.models import Offer
from catalog.values import Block
from providers.models import Provider

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PER_ROUND = 10  # offers of one provider
ROUND_S = 300.0
Tell = Callable[[str], object]


def silent(line: str) -> None:
    return


def due() -> QuerySet[Offer]:
    """Offers that are down, had traffic within a day but no success within an hour, or are new;
    in this order, unless they were probed too recently."""
    now = timezone.now()
    ready = Q(health__next_probe_at=None) | Q(health__next_probe_at__lte=now)
    quiet = Q(health__last_success_at=None) | Q(health__last_success_at__lt=now - HOUR)
    order = Case(
        When(health__state=DOWN, then=Value(0)), When(health=None, then=Value(2)), default=Value(1)
    )
    down, fresh = Q(health__state=DOWN), Q(health=None)
    used = Q(health__last_traffic_at__gte=now - DAY) & quiet
    rows = Offer.objects.alive().filter(ready, down | used | fresh, enabled=True)
    return rows.select_related("model", "provider").order_by(order, "health__probed_at", "pk")


def scheduled() -> Iterator[tuple[Subject, Finding]]:
    """Probe what is due at each provider, within its budget and for some minutes at most.

    What a block rule holds is left alone; an expired one has its own probes.
    """
    blocks, until = enabled_blocks(), time.monotonic() + ROUND_S
    for provider in Provider.objects.filter(enabled=True).order_by("?"):
        for it in fit(provider, blocks):
            if time.monotonic() > until:
                return
            if not ProbeBudget.objects.take(provider.pk, timezone.now().date()):
                break
            if claim(it.value.id, timezone.now()):
                yield it, examine(it)


def fit(provider: Provider, blocks: list[Block]) -> Iterator[Subject]:
    """Yield what is due at a provider and can be probed, as much as a round takes."""
    endpoint = provider.endpoint()
    if not endpoint.secrets or not ProbeBudget.objects.left(provider.pk, timezone.now().date()):
        return
    count = 0
    for row in due().filter(provider=provider).iterator(500):
        it = subject(row, endpoint)
        if unfit(it) or blocked(it, blocks):
            continue
        yield it
        count += 1
        if count == PER_ROUND:
            return


def by_hand(rows: QuerySet[Offer], tell: Tell = silent) -> Iterator[tuple[Subject, Finding]]:
    """Probe these offers now, whatever the schedule and the budget say; tell what is skipped."""
    blocks = unexpired_blocks()
    for row in rows.select_related("model", "provider").order_by("provider", "model"):
        it = subject(row, row.provider.endpoint())
        reason = unfit(it) or blocked(it, blocks)
        if reason:
            tell(f"{it}: skipped, {reason}")
        elif claim(row.pk, timezone.now(), due=False):
            yield it, examine(it)

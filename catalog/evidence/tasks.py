"""What is done about evidence by itself, on schedules that admins edit.

Probing is imported where it is used: its client takes a second and 40 MB, and web processes
import this module for the names alone.
"""

from celery import shared_task

from catalog.evidence import retention, summaries
from catalog.models import Offer


@shared_task(name="evidence.summarise", expires=60)
def summarise() -> str:
    """Write what the last minutes, hour and day show of each offer."""
    folded = summaries.fold()
    return f"{summaries.summarise()} offers summarised, {folded} minutes folded into hours"


@shared_task(name="evidence.measure", expires=300)
def measure() -> str:
    """Give offers the latency, speed and uptime that requests are ordered by."""
    return f"{summaries.measure()} offers measured anew"


@shared_task(name="evidence.sweep", expires=3600)
def sweep() -> str:
    """Delete evidence that is old or too much."""
    return f"{retention.sweep()} rows deleted"


@shared_task(name="evidence.probe", expires=600)
def probe() -> str:
    """Probe what is due, within each provider's budget."""
    from catalog.evidence.rounds import scheduled

    return told([finding.outcome for _, finding in scheduled()])


@shared_task(name="evidence.probe_offers", expires=3600)
def probe_offers(offer_ids: list[int]) -> str:
    """Probe these offers now."""
    from catalog.evidence.rounds import by_hand

    rows = Offer.objects.filter(pk__in=offer_ids)
    return told([finding.outcome for _, finding in by_hand(rows)])


def told(outcomes: list[str]) -> str:
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "none probed"

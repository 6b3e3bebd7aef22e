"""Syncs on a schedule that admins edit."""

import logging

from celery import shared_task
from django.db import OperationalError

from catalog.syncs import retention
from catalog.syncs.claims import Overlap
from catalog.syncs.running import sync
from catalog.syncs.sources import fetchable
from providers.models import Provider

log = logging.getLogger(__name__)
SIX_HOURS_S = 6 * 3600
LANES = 2  # syncs of the schedule under way at once; other work must not wait for all of them


@shared_task(name="catalog.sync_provider", expires=SIX_HOURS_S, time_limit=2 * 3600)
def sync_provider(pk: int) -> str:
    """Sync one provider."""
    provider = Provider.objects.filter(pk=pk).first()
    if provider is None:
        return f"no provider has the number {pk}"
    try:
        run = sync(provider)
    except Overlap as problem:
        return str(problem)
    return f"{provider.slug}: {run.state}, {run.message or 'no change'}"


@shared_task(name="catalog.sync_lane", expires=SIX_HOURS_S)
def sync_lane(pks: list[int], tries: int = 3) -> str:
    """Sync one provider, and leave the others to the next task: what waits gets a turn.

    One for which the database had no time is tried again after the others.
    """
    if not pks:
        return "nothing is left to sync"
    first, *rest = pks
    try:
        return sync_provider(first)
    except OperationalError as problem:
        rest, tries = ([*rest, first] if tries > 1 else rest), tries - 1
        log.warning("the sync of provider %s comes later: %s", first, problem)
        return f"the sync of provider {first} comes later: {problem}"
    finally:
        if rest:
            sync_lane.delay(rest, tries)


@shared_task(name="catalog.sync_all", expires=SIX_HOURS_S)
def sync_all() -> str:
    """Queue a sync of every provider whose lists can be fetched."""
    providers = Provider.objects.filter(enabled=True).prefetch_related("credentials")
    ready = [provider.pk for provider in providers if fetchable(provider)]
    for lane in (ready[start::LANES] for start in range(min(LANES, len(ready)))):
        sync_lane.delay(lane)
    return f"{len(ready)} syncs queued"


@shared_task(name="catalog.sweep_syncs", expires=SIX_HOURS_S)
def sweep_syncs() -> str:
    """Delete runs and changesets of long ago."""
    return f"{retention.sweep()} rows deleted"

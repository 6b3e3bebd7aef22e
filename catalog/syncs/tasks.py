"""Syncs on a schedule that admins edit."""

from celery import shared_task

from catalog.syncs.claims import Overlap
from catalog.syncs.running import sync
from catalog.syncs.sources import fetchable
from providers.models import Provider

SIX_HOURS_S = 6 * 3600


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


@shared_task(name="catalog.sync_all", expires=SIX_HOURS_S)
def sync_all() -> str:
    """Queue a sync of every provider whose lists can be fetched."""
    providers = Provider.objects.filter(enabled=True).prefetch_related("credentials")
    ready = [provider for provider in providers if fetchable(provider)]
    for provider in ready:
        sync_provider.delay(provider.pk)
    return f"{len(ready)} syncs queued"

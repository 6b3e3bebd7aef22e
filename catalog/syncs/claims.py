"""One sync per provider at a time; one that died leaves its place to the next."""

import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from catalog.syncs.models import SyncRun
    from providers.models import Provider

EXPIRY = timedelta(minutes=5)  # longer than any silence between two signs of life
DIED = "it ended without a word: killed, or its machine went down"


class Overlap(RuntimeError):
    """Another run of this provider is under way."""


class SyncRunQuerySet(models.QuerySet):
    def running(self) -> "SyncRunQuerySet":
        return self.filter(state="running")

    def claim(self, provider: "Provider") -> "SyncRun":
        """Begin a run. Raise Overlap while another one lives; one that died is marked failed."""
        self.bury(provider)
        try:
            with transaction.atomic():
                host, pid = socket.gethostname()[:100], os.getpid()
                run: SyncRun = self.create(provider=provider, host=host, pid=pid)
                return run
        except IntegrityError:
            raise Overlap(f"another sync of {provider.slug} is under way") from None

    def bury(self, provider: "Provider") -> None:
        """Mark the provider's run failed if nothing lives that would end it."""
        for run in self.running().filter(provider=provider):
            if run.heartbeat_at < timezone.now() - EXPIRY or is_gone(run.host, run.pid):
                run.end("failed", message=DIED)


class Ending(models.Model):
    """The way a run ends: by a conditional UPDATE, so that it ends once."""

    class Meta:
        abstract = True

    def end(self, state: str, **values: Any) -> bool:
        """Write what came of it. False, and nothing written, if it had ended already."""
        values = {"state": state, "finished_at": timezone.now(), **values}
        rows = type(self)._default_manager.filter(pk=self.pk, state="running")
        ended = bool(rows.update(**values))
        if ended:
            for name, value in values.items():
                setattr(self, name, value)
        return ended


def is_gone(host: str, pid: int) -> bool:
    """Tell whether the process was here and is not any more; of other machines nothing is known."""
    if host != socket.gethostname()[:100] or not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

"""An admin's word on a changeset that was held back."""

from django.db import transaction
from django.utils import timezone

from catalog.alerts.evaluating import after_sync
from catalog.syncs.applying import Overtaken, apply
from catalog.syncs.diffing import Difference
from catalog.syncs.models import Changeset, SyncRun


def decide(changeset: Changeset, state: str, author: str) -> bool:
    """Give it its state, once; False if somebody was quicker."""
    rows = Changeset.objects.filter(pk=changeset.pk, state="quarantined")
    decided = bool(rows.update(state=state, decided_by=author[:150], decided_at=timezone.now()))
    if decided:
        changeset.refresh_from_db()
    return decided


def accept(changeset: Changeset, author: str) -> None:
    """Apply it as it was reviewed. What is missing is retired at once, as a person has looked.

    Raises Overtaken if it was decided already.
    """
    run = changeset.run
    differences = [
        Difference(row.kind, row.upstream_id, row.before, row.after)
        for row in changeset.changes.iterator(chunk_size=2000)
    ]
    with transaction.atomic():
        apply(run, differences, lambda: decide(changeset, "applied", author), confirmed=True)
        SyncRun.objects.filter(pk=run.pk).update(state="applied")
    after_sync()


def reject(changeset: Changeset, author: str) -> None:
    """Leave the catalogue as it is. Raises Overtaken if it was decided already."""
    if not decide(changeset, "rejected", author):
        raise Overtaken("it was decided already")
    after_sync()

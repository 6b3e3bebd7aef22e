"""What syncs did: runs, the changes that each found, and whose models are which."""

from typing import Any

from django.db import models
from django.utils import timezone

from catalog.models import Model
from catalog.syncs.claims import Ending, SyncRunQuerySet
from providers.models import Provider

RUN_STATES = ("running", "applied", "unchanged", "quarantined", "failed", "cancelled")
CHANGESET_STATES = ("applied", "quarantined", "rejected")
KINDS = ("added", "missing", "retired", "returned", "price", "context", "capabilities", "other")


def choices(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class SyncRun(Ending):
    """One reading of everything that a provider lists. refused: [{id, reason}], the first of them.

    entries: per list its parser, url, ETag, content hash and counts.
    """

    objects = SyncRunQuerySet.as_manager()

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="sync_runs")
    state = models.CharField(max_length=12, choices=choices(RUN_STATES), default="running")
    message = models.TextField(blank=True)
    cancel_asked = models.BooleanField(default=False)

    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    host = models.CharField(max_length=100, blank=True)
    pid = models.PositiveIntegerField(default=0)

    pages = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    unique = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)
    entries = models.JSONField(default=list)
    unreadable = models.BooleanField(
        default=False, help_text="A page came that is no list as its parser knows it."
    )

    added = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    retired = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], condition=models.Q(state="running"), name="one_run_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["provider", "-started_at"], name="runs_of_a_provider"),
            models.Index(fields=["started_at"], name="runs_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.provider.slug}, {self.started_at:%Y-%m-%d %H:%M}: {self.state}"

    def alive(self, **progress: Any) -> bool:
        """Give a sign of life; False if the run was cancelled or ended from outside."""
        rows = type(self).objects.filter(pk=self.pk, state="running", cancel_asked=False)
        return bool(rows.update(heartbeat_at=timezone.now(), **progress))


class Changeset(models.Model):
    """What a run found different. Held back, it waits for an admin."""

    run = models.OneToOneField(SyncRun, models.CASCADE, related_name="changeset")
    state = models.CharField(max_length=12, choices=choices(CHANGESET_STATES))
    reasons = models.JSONField(default=list)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["state"],
                condition=models.Q(state="quarantined"),
                name="changesets_that_wait",
            )
        ]

    def __str__(self) -> str:
        return f"{self.run.provider.slug}, {self.created_at:%Y-%m-%d %H:%M}: {self.state}"


class Change(models.Model):
    """One difference: column by column, what was and what is listed now."""

    changeset = models.ForeignKey(Changeset, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=12, choices=choices(KINDS))
    upstream_id = models.CharField(max_length=250)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.upstream_id}"


class ModelMapping(models.Model):
    """An admin's word that a provider's id is a model of ours."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="mappings")
    upstream_id = models.CharField(max_length=250, help_text="The provider's id, letter by letter.")
    model = models.ForeignKey(Model, models.CASCADE, related_name="mappings")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["provider", "upstream_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "upstream_id"],
                name="one_model_per_upstream_id",
                violation_error_message="This id is mapped already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id} at {self.provider.slug} → {self.model.model_id}"

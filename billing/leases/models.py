"""What processes took of accounts' money: it is idle, reserved, or spent and not booked yet."""

from django.db import models
from django.db.models import Q


class Lease(models.Model):
    """One process's slice of one account. It changes together with the postings that say so.

    Whoever writes here has the account's row locked. Every change is a difference, so that a
    process that takes and the bookkeeper that books may come in any order.
    """

    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="leases")
    node = models.CharField(max_length=60, help_text="Whose bookkeeper knows whether it lives.")
    process = models.CharField(max_length=100, help_text="One run of one web process.")
    amount_nano = models.BigIntegerField(default=0, help_text="In nano-USD.")
    spare = models.BooleanField(default=False, help_text="Some of it may be idle.")
    asking = models.BooleanField(default=False, help_text="It waits for what others have idle.")
    touched_at = models.DateTimeField(help_text="When it last asked or gave back.")

    class Meta:
        ordering = ["node", "process", "account"]
        constraints = [
            models.UniqueConstraint(fields=["process", "account"], name="one_lease_of_a_process"),
            models.CheckConstraint(condition=Q(amount_nano__gte=0), name="no_lease_below_zero"),
        ]
        indexes = [
            models.Index(fields=["node"], name="leases_by_node"),
            models.Index(fields=["account"], name="leases_asked", condition=Q(asking=True)),
        ]

    def __str__(self) -> str:
        return f"{self.process} of {self.account}"

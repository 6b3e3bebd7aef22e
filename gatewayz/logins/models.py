"""Attempts to sign in that failed, or are under way."""

from django.db import models


class Attempt(models.Model):
    """One try. key: a digest of who tried from where; neither names nor addresses are kept."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="attempts_by_key")]

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at}"

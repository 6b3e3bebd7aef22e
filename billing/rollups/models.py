"""Usage by the hour, and how far it was summed and deleted."""

from django.db import models

KEYS = ("account_id", "hour", "booked_month", "key_id", "model_id", "provider", "endpoint")
DAILY_KEYS = ("day", "account_id", "model_id", "provider")
COUNTS = (
    "requests",
    "failures",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "image_output_tokens",
    "searches",
    "images",
    "cost_nano",
    "provider_cost_nano",
    "duration_ms",
    "first_bytes",
    "first_byte_ms",
)


class Sums(models.Model):
    """What is counted. Prompt and completion tokens are wholes, other tokens parts of them."""

    requests = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    audio_input_tokens = models.BigIntegerField(default=0)
    audio_output_tokens = models.BigIntegerField(default=0)
    image_input_tokens = models.BigIntegerField(default=0)
    image_output_tokens = models.BigIntegerField(default=0)
    searches = models.BigIntegerField(default=0)
    images = models.BigIntegerField(default=0)
    cost_nano = models.BigIntegerField(default=0, help_text="What customers were charged.")
    provider_cost_nano = models.BigIntegerField(default=0, help_text="What it cost us.")
    duration_ms = models.BigIntegerField(default=0, help_text="Sum; divide by requests.")
    first_bytes = models.BigIntegerField(default=0, help_text="Requests with a first byte.")
    first_byte_ms = models.BigIntegerField(default=0, help_text="Sum; divide by first bytes.")

    class Meta:
        abstract = True


class HourlyUsage(Sums):
    """What one key asked of one model at one provider in one hour (UTC), summed.

    booked_month: the month of the transactions that charged it, which statements go by. A request
    of a month's last minutes may be charged in the next one.
    """

    account = models.ForeignKey(
        "billing.Account", models.PROTECT, related_name="hourly_usage", db_index=False
    )
    hour = models.DateTimeField(db_index=True)
    booked_month = models.DateField(help_text="Its first day.")
    key_id = models.CharField(max_length=32)
    model_id = models.CharField(max_length=250, blank=True)
    provider = models.CharField(max_length=63, blank=True)
    endpoint = models.CharField(max_length=30)

    class Meta:
        ordering = ["-hour", "-pk"]
        verbose_name = "hour of usage"
        verbose_name_plural = "usage by the hour"
        constraints = [models.UniqueConstraint(fields=KEYS, name="usage_once_per_hour")]
        indexes = [
            models.Index(fields=["account", "booked_month"], name="hours_by_booked_month"),
            models.Index(fields=["key_id", "hour"], name="hours_by_key"),
            models.Index(
                fields=["provider", "model_id", "key_id", "hour"], name="hours_of_an_offer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id or '-'} at {self.provider or '-'}, {self.hour:%Y-%m-%d %H}:00"


class DailyUsage(Sums):
    """The same by the day, keys and endpoints together: for who looks at all accounts."""

    account = models.ForeignKey("billing.Account", models.PROTECT, related_name="daily_usage")
    day = models.DateField()
    model_id = models.CharField(max_length=250, blank=True)
    provider = models.CharField(max_length=63, blank=True)

    class Meta:
        ordering = ["-day", "-pk"]
        verbose_name = "day of usage"
        verbose_name_plural = "usage by the day"
        constraints = [
            models.UniqueConstraint(fields=DAILY_KEYS, name="usage_once_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id or '-'} at {self.provider or '-'}, {self.day:%Y-%m-%d}"


class Progress(models.Model):
    """One row. Whoever sums or deletes usage rows locks it first."""

    rolled_through = models.BigIntegerField(
        default=0, help_text="Primary key of the last usage row that is in the sums."
    )
    deleted_through = models.BigIntegerField(
        default=0, help_text="Primary key of the last usage row that was deleted."
    )
    deleted_rows = models.BigIntegerField(default=0)
    deleted_cost_nano = models.BigIntegerField(default=0)
    deleted_booked_at = models.DateTimeField(
        null=True, help_text="When the latest transaction of deleted rows was booked."
    )
    deleted_hour = models.DateTimeField(
        null=True, help_text="The latest hour of deleted rows: sums up to it cannot be made again."
    )

    @classmethod
    def locked(cls) -> "Progress":
        """Return the row, held until the transaction ends."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)

    @classmethod
    def now(cls) -> "Progress":
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def __str__(self) -> str:
        return f"summed through {self.rolled_through}, deleted through {self.deleted_through}"

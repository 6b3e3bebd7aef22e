"""Usage in the columns of a usage row, and back."""

from operator import attrgetter

from django.db import models

from providers.values import Usage

COLUMNS = {
    "cached_tokens": "cached_input",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "reasoning_tokens": "reasoning",
    "audio_input_tokens": "audio_input",
    "audio_output_tokens": "audio_output",
    "image_input_tokens": "image_input",
    "image_output_tokens": "image_output",
    "searches": "searches",
    "images": "images",
}

OF_USAGE = ("prompt_tokens", "completion_tokens", "usage_source", "reported_cost_nano", *COLUMNS)
NONE = Usage(requests=0, source="none")
_values_of = attrgetter("prompt", "completion", "source", "reported_nano", *COLUMNS.values())


def values_of(usage: Usage | None) -> tuple[int | str | None, ...]:
    """Return the columns OF_USAGE."""
    values: tuple[int | str | None, ...] = _values_of(usage or NONE)
    return values


class UsageColumns(models.Model):
    """prompt_tokens and completion_tokens are the wholes, the other columns parts of them."""

    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cache_write_1h_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    audio_input_tokens = models.PositiveIntegerField(default=0)
    audio_output_tokens = models.PositiveIntegerField(default=0)
    image_input_tokens = models.PositiveIntegerField(default=0)
    image_output_tokens = models.PositiveIntegerField(default=0)
    searches = models.PositiveIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    usage_source = models.CharField(max_length=10, help_text="upstream, estimated or none")
    reported_cost_nano = models.BigIntegerField(
        null=True, help_text="What the provider said that it charges; for comparison only."
    )

    class Meta:
        abstract = True

    @property
    def usage(self) -> Usage | None:
        """What was used, as charged; None if nothing was."""
        if self.usage_source == "none":
            return None
        parts = {bucket: getattr(self, column) for column, bucket in COLUMNS.items()}
        inside = Usage(**parts)
        return Usage(
            input=self.prompt_tokens - inside.prompt,
            output=self.completion_tokens - inside.completion,
            source=self.usage_source,
            reported_nano=self.reported_cost_nano,
            **parts,
        )

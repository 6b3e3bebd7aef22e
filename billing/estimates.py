"""Token counts where a provider reported none: from bytes, without a vocabulary."""

from providers.values import Usage

BYTES_PER_TOKEN = 4


def estimate(prompt_bytes: int, text_bytes: int) -> Usage:
    """Return the usage that so many bytes of messages and of answer stand for, rounded up."""
    return Usage(
        prompt=-(-prompt_bytes // BYTES_PER_TOKEN),
        completion=-(-text_bytes // BYTES_PER_TOKEN),
        source="estimated",
    )

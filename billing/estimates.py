"""Token counts where a provider reported none: from bytes, without a vocabulary."""

from providers.values import Usage

BYTES_PER_TOKEN = 4


def tokens_in(size: int) -> int:
    """Return the tokens that so many bytes stand for, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def estimate(prompt_bytes: int, text_bytes: int) -> Usage:
    """Return the usage that so many bytes of messages and of answer stand for, rounded up."""
    return Usage(
        prompt=tokens_in(prompt_bytes),
        completion=tokens_in(text_bytes),
        source="estimated",
    )

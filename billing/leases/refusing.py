"""What a request is told that gets no money."""

from billing.leases.moving import Moved
from billing.money import written
from providers.errors import InsufficientCredits, NoProviderAvailable

RETRY_S = 2.0


def refusal(moved: Moved, needed_nano: int) -> InsufficientCredits:
    """Say what the account has, what of it is held, and what the request could cost."""
    if moved.balance_nano <= 0:
        message = "The account has no credits left. Ask the operator to top it up."
    else:
        message = (
            f"This request may cost up to {written(needed_nano)}, and the account has "
            f"{written(moved.balance_nano)}, of which {written(moved.held_nano)} are held for "
            "other requests. A smaller `max_tokens` costs less; the operator can top it up."
        )
    amounts = {
        "balance": moved.balance_nano,
        "held": moved.held_nano,
        "needed": needed_nano,
    }
    told = {name: f"{nano / 10**9:.9f}" for name, nano in amounts.items()}
    return InsufficientCredits(message, metadata=told)


def unknown() -> NoProviderAvailable:
    return NoProviderAvailable("Credits cannot be checked now.", retry_after_s=RETRY_S)

"""Money in JSON, where other gateways have numbers: every digit, never a float's."""

from msgspec import Raw

from billing.money import plain


def number(nano: int | None) -> Raw | None:
    """Return a JSON number of dollars, such as `0.00012`; None stays null."""
    if nano is None:
        return None
    text = plain(nano).rstrip("0")
    return Raw((text[:-1] if text.endswith(".") else text).encode())

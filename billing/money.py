"""Money in whole nano-USD: 10**9 of them are one dollar. Nothing here rounds."""

from decimal import Context, Decimal, Inexact, InvalidOperation

NANO_PER_USD = 10**9
MOST_USD = 10**9  # of one posting
SMALLEST = Decimal("1e-9")
EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


class BadAmount(ValueError):
    """An amount that cannot be booked; the text says why."""


def nano(usd: Decimal | str) -> int:
    """Turn dollars into nano-USD. Raise BadAmount for what is no number, too fine or too large."""
    try:
        amount = Decimal(usd)
    except InvalidOperation:
        raise BadAmount(f"{usd} is no amount; write it as 12.50.") from None
    if not amount.is_finite() or amount.copy_abs() > MOST_USD:
        raise BadAmount(f"At most {MOST_USD:,} USD at a time.")
    try:
        return int(amount.quantize(SMALLEST, context=EXACT).scaleb(9))
    except Inexact:
        raise BadAmount("An amount has at most nine decimals.") from None


def usd(nano: int) -> Decimal:
    """Return the exact dollars of `nano`."""
    return Decimal(nano).scaleb(-9)


def written(nano: int | None) -> str:
    """Write dollars for people, every digit that counts and two decimals at least; `-` if None."""
    if nano is None:
        return "-"
    dollars, rest = divmod(abs(nano), NANO_PER_USD)
    decimals = f"{rest:09}".rstrip("0").ljust(2, "0")
    return f"{'-' if nano < 0 else ''}{dollars:,}.{decimals} USD"


def plain(nano: int) -> str:
    """Write dollars for programs, with nine decimals: `12.500000000`."""
    dollars, rest = divmod(abs(nano), NANO_PER_USD)
    return f"{'-' if nano < 0 else ''}{dollars}.{rest:09}"

from decimal import Decimal

import pytest

from billing import money


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("1", 10**9),
        ("12.50", 12_500_000_000),
        ("0.000000001", 1),
        ("-0.1", -100_000_000),
        ("1e3", 10**12),
        ("0.1000000000000000000000000000000000000", 10**8),
        ("1000000000", 10**18),
        ("999999999.999999999", 10**18 - 1),
    ],
)
def test_dollars_become_whole_nano_dollars(text: str, nano: int) -> None:
    assert money.nano(text) == nano
    assert money.usd(nano) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ten",
        "NaN",
        "-inf",
        "1e99999",
        "1000000000.1",
        "0.0000000001",
        "1e-9999999",
        "1,5",
        "$5",
    ],
)
def test_what_cannot_be_booked_is_refused(text: str) -> None:
    with pytest.raises(money.BadAmount):
        money.nano(text)


def test_dollars_are_written_with_every_digit_that_counts() -> None:
    assert money.written(12_500_000_000) == "12.50 USD"
    assert money.written(-1) == "-0.000000001 USD"
    assert money.written(1_234_567_000_000_000) == "1,234,567.00 USD"
    assert money.written(None) == "-"

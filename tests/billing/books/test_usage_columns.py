"""A usage row holds what was used, and gives it back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from billing.books.usage import OF_USAGE, values_of
from billing.models import UsageRow
from providers.values import Usage

counts = st.integers(0, 10**8)
usages = st.builds(
    Usage,
    *([counts] * 10),
    searches=counts,
    images=counts,
    source=st.sampled_from(["upstream", "estimated"]),
    reported_nano=st.none() | counts,
)


def row_of(usage: Usage | None) -> UsageRow:
    return UsageRow(**dict(zip(OF_USAGE, values_of(usage), strict=True)))


@given(usages)
def test_usage_comes_back_as_it_was(usage: Usage) -> None:
    row = row_of(usage)
    assert row.usage == usage
    assert row.prompt_tokens + row.completion_tokens == sum(usage.counts[:10])


def test_no_usage_is_none_and_not_zero() -> None:
    assert row_of(None).usage is None
    assert row_of(Usage()).usage == Usage()

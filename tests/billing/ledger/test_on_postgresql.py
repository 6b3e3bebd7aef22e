"""The ledger's own tests, again on PostgreSQL."""

import pytest

from tests.again import passes_on_postgresql


@pytest.mark.timeout(320)
def test_the_ledger_is_as_strict_on_postgresql(postgres_url: str) -> None:
    assert passes_on_postgresql("tests/billing/ledger/test_ledger.py", postgres_url)

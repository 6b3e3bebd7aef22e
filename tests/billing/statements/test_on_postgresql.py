"""The statements' own tests, again on PostgreSQL."""

import pytest

from tests.again import passes_on_postgresql


@pytest.mark.timeout(320)
def test_statements_are_as_strict_on_postgresql(postgres_url: str) -> None:
    assert passes_on_postgresql("tests/billing/statements/test_statements.py", postgres_url)

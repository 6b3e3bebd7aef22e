"""Usage rows are written without the ORM, so what it would have done is compared with it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.books.usage_rows import COLUMNS, insert
from billing.ledger.models import Posting, Transaction
from billing.ledger.posting import Because, customer, holds, post
from billing.models import UsageRow
from providers.attempts import Attempt
from tests.billing.ledgers import account
from tests.billing.lines import record


def test_every_column_is_written() -> None:
    columns = {field.column for field in UsageRow._meta.concrete_fields} - {"id"}
    assert sorted(COLUMNS) == sorted(columns)


@pytest.mark.django_db
def test_a_row_reads_back_as_it_was_recorded() -> None:
    acme = account()
    because = Because("test", "test")
    one = record("a", acme.pk, 7, error_code="x", first_byte_ms=3, stream=True)
    two = record("b", acme.pk, None, usage=None, attempts=[Attempt("p", "m", 1)])
    insert([one, two], because.id)
    post(because, {customer(acme.pk): -7, holds(acme.pk): 7})
    first, second = UsageRow.objects.order_by("request_id")
    assert first.created_at.timestamp() == one.at
    assert first.transaction == Transaction.objects.get(pk=because.id)
    assert first.attempts == [
        {
            "provider": "acme",
            "upstream_id": "chat-1",
            "credential": 1,
            "outcome": "answered",
            "status": 200,
            "duration_ms": 12,
            "maybe_billed": True,
            "offer": 0,
            "said": "",
            "cost_nano": 0,
        }
    ]
    assert (first.stream, first.first_byte_ms, first.cost_nano) == (True, 3, 7)
    assert (second.transaction, second.cost_nano, second.usage_source) == (None, None, "none")


@pytest.mark.django_db
def test_a_batch_is_a_handful_of_statements() -> None:
    acme = account()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        insert([record(f"r{number}", acme.pk) for number in range(300)], Because("a", "a").id)
    assert len(queries) <= 1
    assert not Posting.objects.filter(transaction__reference="a").exists()
    UsageRow.objects.all().delete()

"""What happened in a month, booked as of then."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from billing.books.usage_rows import insert
from billing.ledger.models import new_id
from billing.ledger.posting import PAYMENTS, REVENUE, Because, Side, customer, post
from billing.models import Account, Plan
from billing.statements.issuing import Month
from providers.values import Usage
from tests.billing.lines import record

LAST = Month.of(timezone.now()).before
THIS = Month.of(timezone.now())
SECOND = timedelta(seconds=1)


def named(name: str = "Acme") -> Account:
    return Account.objects.create(name=name, plan=Plan.objects.get_or_create(name="default")[0])


def day(number: int, month: Month = LAST) -> datetime:
    return month.start + timedelta(days=number - 1, hours=12)


def moved(
    account: Account, nano: int, at: datetime, kind: str = "top-up", source: Side = PAYMENTS
) -> None:
    because = Because(kind, f"test:{new_id()}", f"a {kind}", "tests", at)
    post(because, {customer(account.pk): nano, source: -nano})


def used(
    account: Account, nano: int, at: datetime, booked_at: datetime | None = None, **said: Any
) -> None:
    """Book one request as the bookkeeper does, at `booked_at`."""
    because = Because("usage", f"usage:{new_id()}", at=booked_at or at)
    charged = post(because, {customer(account.pk): -nano, REVENUE: nano})
    said = {"usage": Usage(10, 4), "at": at.timestamp()} | said
    insert([record(f"gen-{new_id()}", account.pk, nano, **said)], charged)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

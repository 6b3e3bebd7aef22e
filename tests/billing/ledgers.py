"""What the database made of journals."""

from billing.ledger.checking import differences
from billing.ledger.credits import credit
from billing.models import Account, Plan, UsageRow


def account(name: str = "Acme", nano: int = 10**12) -> Account:
    plan = Plan.objects.get_or_create(name="default")[0]
    row = Account.objects.create(name=name, plan=plan)
    credit(row, nano, "test", "test")
    return row


def booked() -> dict[str, tuple[str, int | None]]:
    """Return each row's outcome and cost; AssertionError if a request has two."""
    rows = list(UsageRow.objects.values_list("request_id", "outcome", "cost_nano"))
    found = {request_id: (outcome, cost) for request_id, outcome, cost in rows}
    assert len(found) == len(rows)
    return found


def balance_fits(row: Account, credit_nano: int = 10**12) -> bool:
    assert differences() == []
    row.refresh_from_db()
    costs = UsageRow.objects.filter(account=row).values_list("cost_nano", flat=True)
    return row.balance_nano == credit_nano - sum(cost or 0 for cost in costs)

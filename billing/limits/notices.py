"""An edge of a budget was reached: one row a period and edge, and a signal for who tells people."""

from datetime import datetime

from django.dispatch import Signal

from billing.limits.models import BudgetNotice

reached = Signal()  # notice: BudgetNotice; sent inside the transaction that wrote it


def notice(budget_id: int, period_began_at: datetime, edge: str, spent_nano: int) -> bool:
    """Write down that `edge` (soft or hard) was reached; False if that is known already."""
    row, fresh = BudgetNotice.objects.get_or_create(
        budget_id=budget_id,
        period_began_at=period_began_at,
        edge=edge,
        defaults={"spent_nano": spent_nano},
    )
    if fresh:
        reached.send(BudgetNotice, notice=row)
    return fresh

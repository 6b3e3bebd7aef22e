"""What is done about statements by itself, on a schedule that admins edit."""

from celery import shared_task
from django.utils import timezone

from billing.statements.issuing import CannotIssue, Month, issue_missing


@shared_task(name="statements.issue", expires=6 * 3600)
def issue() -> str:
    """Issue last month's statements that are missing; daily, so that a lost day is made up for."""
    made = list(issue_missing(Month.of(timezone.now()).before, "system"))
    failed = sum(isinstance(one, CannotIssue) for one in made)
    return f"{len(made) - failed} statements issued, {failed} not"

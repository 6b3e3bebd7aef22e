"""Issues statements: what the ledger says of a month, with usage told by model and provider."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.transaction import atomic
from django.utils import timezone

from billing.ledger.models import OWNED, Posting
from billing.models import Account
from billing.money import written
from billing.rollups.models import HourlyUsage, Progress
from billing.rollups.summing import roll_up
from billing.statements.models import USAGE, Statement, StatementLine

SETTLED_AFTER = timedelta(hours=1)  # the bookkeeper is minutes late at most
log = logging.getLogger(__name__)


class CannotIssue(Exception):
    """No statement was made; the text says why."""


@dataclass(frozen=True, slots=True)
class Month:
    first: date

    @classmethod
    def of(cls, moment: datetime | date) -> "Month":
        return cls(date(moment.year, moment.month, 1))

    @property
    def start(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return (self.start + timedelta(days=32)).replace(day=1)

    @property
    def before(self) -> "Month":
        return Month.of(self.first - timedelta(days=1))


def issue_missing(month: Month, author: str) -> Iterator[Statement | CannotIssue]:
    """Issue what is missing of a month; accounts that neither had nor moved anything get none."""
    done = Statement.objects.filter(month=month.first).values("account")
    for account in Account.objects.exclude(pk__in=done).order_by("pk"):
        try:
            statement = issue(account, month, author)
        except CannotIssue as problem:
            log.error("no statement for %s, %s: %s", account, f"{month.first:%Y-%m}", problem)
            yield problem
        else:
            if statement is not None:
                yield statement


def issue(account: Account, month: Month, author: str) -> Statement | None:
    """Return the account's statement of a month, made now if it was not yet; None if it is empty.

    Raises CannotIssue while the month goes on, and where ledger and sums do not agree.
    """
    if timezone.now() < month.end + SETTLED_AFTER:
        raise CannotIssue(f"{month.first:%B %Y} is not over, or ended less than an hour ago.")
    roll_up()
    with atomic():
        Progress.locked()  # the sums stand still, and numbers follow each other
        made = Statement.objects.filter(account=account, month=month.first).first()
        if made is not None:
            return made
        return seal(account, month, author)


def seal(account: Account, month: Month, author: str) -> Statement | None:
    lines = [*usage_lines(account, month), *moved_lines(account, month)]
    closing = owned_at(account, month.end)
    opening = opening_of(account, month)
    if opening + sum(line.amount_nano for line in lines) != closing:
        raise CannotIssue(
            f"its lines lead from {written(opening)} to "
            f"{written(opening + sum(line.amount_nano for line in lines))}, "
            f"and the ledger says {written(closing)}"
        )
    if not lines and not closing:
        return None
    number = (
        Statement.objects.order_by("-number").values_list("number", flat=True).first() or 0
    ) + 1
    for position, line in enumerate(lines, 1):
        line.statement_id, line.position = number, position
    StatementLine.objects.bulk_create(lines)
    return Statement.objects.create(
        number=number,
        account=account,
        account_name=account.name,
        month=month.first,
        opening_nano=opening,
        closing_nano=closing,
        author=author[:150],
    )


def postings(account_id: int | OuterRef) -> QuerySet[Posting]:
    return Posting.objects.filter(
        ledger_account__account=account_id, ledger_account__kind__in=OWNED
    ).order_by()


def owned_at(account: Account, moment: datetime) -> int:
    """Return what the account owned: its balance without what was booked since, in one query."""
    since = postings(OuterRef("pk")).filter(transaction__created_at__gte=moment)
    moved = since.values("ledger_account__account").annotate(n=Sum("amount_nano")).values("n")
    rows = Account.objects.filter(pk=account.pk)
    owned: int = rows.values_list(F("balance_nano") - Coalesce(Subquery(moved), 0), flat=True).get()
    return owned


def opening_of(account: Account, month: Month) -> int:
    """Return the closing balance of the month before; the ledger's where there is no statement."""
    before = Statement.objects.filter(account=account, month=month.before.first).first()
    if before is not None:
        return before.closing_nano
    booked = postings(account.pk).filter(transaction__created_at__lt=month.start)
    return booked.aggregate(total=Sum("amount_nano"))["total"] or 0


def usage_lines(account: Account, month: Month) -> list[StatementLine]:
    """Return what was charged in the month, by model and provider, the dearest first."""
    rows = HourlyUsage.objects.filter(account=account, booked_month=month.first).order_by()
    sums = rows.values("model_id", "provider").annotate(
        count=Sum("requests"),
        prompt=Sum("prompt_tokens"),
        completion=Sum("completion_tokens"),
        cost=Sum("cost_nano"),
    )
    return [
        StatementLine(
            kind=USAGE,
            model_id=row["model_id"],
            provider=row["provider"],
            requests=row["count"],
            prompt_tokens=row["prompt"],
            completion_tokens=row["completion"],
            amount_nano=-row["cost"],
        )
        for row in sorted(sums, key=lambda row: (-row["cost"], row["model_id"], row["provider"]))
    ]


def moved_lines(account: Account, month: Month) -> list[StatementLine]:
    """Return the other transactions, in their order; those that only hold money move none."""
    booked = postings(account.pk).filter(
        transaction__created_at__gte=month.start, transaction__created_at__lt=month.end
    )
    rows = (
        booked.exclude(transaction__kind=USAGE)
        .values(
            "transaction__created_at", "transaction", "transaction__kind", "transaction__reason"
        )
        .annotate(amount=Sum("amount_nano"))
        .exclude(amount=0)
        .order_by("transaction__created_at", "transaction")
    )
    return [
        StatementLine(
            kind=row["transaction__kind"],
            at=row["transaction__created_at"],
            text=row["transaction__reason"],
            amount_nano=row["amount"],
        )
        for row in rows
    ]

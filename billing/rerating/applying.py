"""Previews re-ratings and books them: per account one transaction, which cannot be booked twice."""

from collections.abc import Iterable, Iterator

from django.db.models import Max, QuerySet
from django.db.transaction import atomic
from django.utils import timezone

from billing.ledger.credits import book_credit
from billing.ledger.posting import REVENUE, Because
from billing.models import Account, UsageRow
from billing.rerating.models import RatedAnew, Rerating, Share
from billing.rerating.rating import Anew, CannotRerate, Rated, rate_anew

MOST_ROWS = 200_000
AT_ONCE = 2000


def preview(rerating: Rerating) -> None:
    """Work out what it means for each account, and keep that; raises CannotRerate."""
    with atomic():
        rerating = Rerating.objects.select_for_update().get(pk=rerating.pk)
        if rerating.shares.filter(done=True).exists():
            raise CannotRerate("This was booked already, or a part of it.")
        rows = concerned(rerating)
        if len(rows[: MOST_ROWS + 1].values_list("pk")) > MOST_ROWS:
            raise CannotRerate(f"More than {MOST_ROWS:,} requests: take a shorter time.")
        rerating.through = rows.aggregate(last=Max("pk"))["last"] or 0
        shares = shares_of(rerating, anew(rerating, rows))
        rerating.shares.all().delete()
        Share.objects.bulk_create(shares)
        rerating.state = Rerating.PREVIEWED
        rerating.save(update_fields=["through", "state"])


def concerned(rerating: Rerating) -> QuerySet[UsageRow]:
    """Return the usage rows that were charged and that the re-rating is about."""
    rows = UsageRow.objects.filter(
        model_id=rerating.model_id,
        created_at__gte=rerating.since,
        created_at__lt=rerating.until,
    ).exclude(outcome="failed")
    return rows.filter(provider=rerating.provider) if rerating.provider else rows


def anew(rerating: Rerating, rows: QuerySet[UsageRow]) -> Iterator[Anew]:
    found = rows.order_by("pk").select_related("account__plan").iterator(AT_ONCE)
    for batch in chunks(found):
        yield from rate_anew(rated(batch), rerating.price)


def chunks(rows: Iterable[UsageRow]) -> Iterator[list[UsageRow]]:
    batch: list[UsageRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def rated(rows: list[UsageRow]) -> Iterator[Rated]:
    """Yield what rows say, at what they cost after earlier corrections."""
    notes = RatedAnew.objects.filter(request_id__in=[row.request_id for row in rows])
    latest = dict(notes.order_by("pk").values_list("request_id", "rerated_nano"))
    for row in rows:
        if row.usage is not None:
            yield Rated(
                row.request_id,
                row.account_id,
                row.usage,
                row.account.plan.markup if row.markup is None else row.markup,
                row.created_at.timestamp(),
                latest.get(row.request_id, row.cost_nano or 0),
            )


def shares_of(rerating: Rerating, requests: Iterable[Anew]) -> list[Share]:
    shares: dict[int, Share] = {}
    for one in requests:
        account_id = one.rated.account_id
        share = shares.get(account_id)
        if share is None:
            share = shares[account_id] = Share(
                rerating=rerating, account_id=account_id, requests=0, was_nano=0, right_nano=0
            )
        share.requests += 1
        share.was_nano += one.rated.was_nano
        share.right_nano += one.nano
    return list(shares.values())


def apply(rerating: Rerating, author: str) -> int:
    """Book what was previewed; return how many accounts were corrected. Safe to repeat.

    Raises CannotRerate where the requests are not those of the preview any more.
    """
    if rerating.state == Rerating.DRAFT:
        raise CannotRerate("It was not previewed.")
    shares = rerating.shares.filter(done=False).order_by("account_id")
    booked = sum(apply_share(share.pk, author) for share in shares)
    Rerating.objects.filter(pk=rerating.pk, state=Rerating.PREVIEWED).update(
        state=Rerating.APPLIED, applied_at=timezone.now()
    )
    return booked


def apply_share(share_id: int, author: str) -> bool:
    """Book one account's correction with its notes; whether there was one to book."""
    with atomic():
        share = Share.objects.select_for_update().get(pk=share_id)
        if share.done:
            return False
        rerating, credit = share.rerating, share.credit_nano
        wanted = credit > 0 or (credit < 0 and rerating.debits)
        if wanted:
            rows = concerned(rerating).filter(account=share.account_id, pk__lte=rerating.through)
            note(share, list(anew(rerating, rows)))
            share.transaction_id = book_credit(
                Account.objects.get(pk=share.account_id),
                credit,
                Because("correction", reference(share), rerating.reason, author),
                REVENUE,
            )
        share.done = True
        share.save(update_fields=["done", "transaction"])
    return wanted


def reference(share: Share) -> str:
    return f"rerating:{share.rerating_id}:{share.account_id}"


def note(share: Share, requests: list[Anew]) -> None:
    """Note what the requests should have cost, if that is still what was previewed."""
    was = sum(one.rated.was_nano for one in requests)
    right = sum(one.nano for one in requests)
    if (len(requests), was, right) != (share.requests, share.was_nano, share.right_nano):
        raise CannotRerate(f"{share.account}'s requests changed since: preview it again.")
    RatedAnew.objects.bulk_create(
        (
            RatedAnew(
                rerating_id=share.rerating_id,
                request_id=one.rated.request_id,
                was_nano=one.rated.was_nano,
                rerated_nano=one.nano,
            )
            for one in requests
        ),
        batch_size=AT_ONCE,
    )

"""Money that an account is given, or that is taken back."""

from uuid import UUID

from billing import money
from billing.ledger.models import new_id
from billing.ledger.posting import ADJUSTMENTS, Because, Side, customer, post
from billing.models import Account
from providers.configuration import announce, one_revision


def credit(
    account: Account, amount_nano: int, reason: str, author: str, source: Side = ADJUSTMENTS
) -> UUID:
    """Book `amount_nano` from `source`, a negative amount back to it; return the transaction's id.

    Raises money.BadAmount for zero, and for what would leave the range of a balance.
    """
    because = Because("adjustment", f"adjustment:{new_id()}", reason, author)
    return book_credit(account, amount_nano, because, source)


def book_credit(account: Account, amount_nano: int, because: Because, source: Side) -> UUID:
    """Book as `because` says; every process learns that the account's money changed.

    Raises AlreadyBooked where its reference is there already, or money.BadAmount.
    """
    if not 0 < abs(amount_nano) <= money.MOST_USD * money.NANO_PER_USD:
        raise money.BadAmount(f"Neither zero nor more than {money.MOST_USD:,} USD at a time.")
    with one_revision(f"posted {money.written(amount_nano)} to {account}"):
        booked = post(because, {customer(account.pk): amount_nano, source: -amount_nano})
        announce(account.parts(), because.kind)
    account.refresh_from_db(fields=["balance_nano", "held_nano"])
    return booked

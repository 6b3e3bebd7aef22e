"""Promotion codes: drawn in batches, shown once, redeemed once by each account."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.db.transaction import atomic

from billing import money
from billing.access import keys
from billing.ledger.credits import book_credit
from billing.ledger.posting import PROMOTIONS, AlreadyBooked, Because
from billing.models import Account
from billing.payments.models import PromotionCode, Redemption
from providers.errors import CodeRefused

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 of them, none like another
LENGTH = 16  # 80 bits
FORM = re.compile(rf"GWZ[{ALPHABET}]{{{LENGTH}}}", re.ASCII)
MOST_AT_ONCE = 10_000
LONGEST = 100
PURPOSE = "promotion code "  # the peppers are the keys' too: no digest stands for both
REFUSED = "This code is not valid, or this account has redeemed it already."


@dataclass(frozen=True, slots=True)
class Batch:
    """What to draw: `count` codes that give `amount_nano` to `most_uses` accounts each."""

    name: str
    count: int
    amount_nano: int
    most_uses: int = 1
    expires_at: datetime | None = None


def draw(batch: Batch, author: str) -> list[str]:
    """Make new codes and return them: they are kept nowhere. Raises money.BadAmount."""
    if not 0 < batch.amount_nano <= money.MOST_USD * money.NANO_PER_USD:
        raise money.BadAmount(f"A code gives more than nothing, {money.MOST_USD:,} USD at most.")
    if not (1 <= batch.count <= MOST_AT_ONCE and 1 <= batch.most_uses < 2**31):
        raise money.BadAmount(f"From 1 to {MOST_AT_ONCE:,} codes at a time.")
    drawn = [keys.drawn(ALPHABET, LENGTH) for _ in range(batch.count)]
    PromotionCode.objects.bulk_create(
        PromotionCode(
            batch=batch.name[:100],
            digest=keys.digest(f"{PURPOSE}GWZ{code}", settings.KEY_PEPPERS[0]),
            last4=code[-4:],
            amount_nano=batch.amount_nano,
            most_uses=batch.most_uses,
            expires_at=batch.expires_at,
            author=author[:150],
        )
        for code in drawn
    )
    return [shown(code) for code in drawn]


def shown(code: str) -> str:
    return "-".join(["GWZ", *(code[n : n + 4] for n in range(0, LENGTH, 4))])


def digests(text: str) -> tuple[str, ...]:
    """Return what a code's row may be found by, a digest per pepper; nothing if it is none."""
    if len(text) > LONGEST:
        return ()
    code = re.sub(r"[\s-]", "", text).upper()
    return keys.digests(PURPOSE + code) if FORM.fullmatch(code) else ()


def redeem(account: Account, text: str, author: str) -> int:
    """Give the account what the code is worth; return that, in nano-USD.

    Raises CodeRefused, with one answer for all reasons; nothing is booked then.
    """
    try:
        with atomic():
            code = take(text)
            transaction_id = book(account, code, author)
            Redemption.objects.create(code=code, account=account, transaction_id=transaction_id)
    except (AlreadyBooked, IntegrityError, money.BadAmount) as problem:
        raise CodeRefused(REFUSED, param="code") from problem
    return code.amount_nano


def take(text: str) -> PromotionCode:
    """Use the code up by one: whoever changes its row first has it."""
    rows = PromotionCode.objects.filter(digest__in=digests(text))
    if not rows.usable().update(uses=F("uses") + 1):
        raise CodeRefused(REFUSED, param="code")
    return rows.get()


def book(account: Account, code: PromotionCode, author: str) -> UUID:
    reference = f"code:{code.pk}:{account.pk}"
    because = Because("promotion", reference, f"code {code}", author)
    return book_credit(account, code.amount_nano, because, PROMOTIONS)

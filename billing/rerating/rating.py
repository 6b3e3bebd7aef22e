"""What requests should have cost: a function of what they used and of the right price. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from billing.costs.pricing import charge
from providers.values import Price, Usage


class CannotRerate(Exception):
    """Nothing was booked; the text says why."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A request as it was charged. at: when it began, in Unix seconds; money in nano-USD."""

    request_id: str
    account_id: int
    usage: Usage
    markup: Decimal
    at: float
    was_nano: int


@dataclass(frozen=True, slots=True)
class Anew:
    """The same with what it should have cost."""

    rated: Rated
    nano: int


def rate_anew(requests: Iterable[Rated], price: Price) -> Iterator[Anew]:
    """Yield each request at `price`, with the markup that was in force for it.

    Raises CannotRerate where the price lacks something that a request used.
    """
    for one in requests:
        made = charge(price, one.usage, one.markup, one.at)
        if made is None:
            used = ", ".join(name for name in one.usage.__struct_fields__ if has(one.usage, name))
            raise CannotRerate(f"The price lacks some of what {one.request_id} used: {used}.")
        yield Anew(one, made.cost_nano)


def has(usage: Usage, name: str) -> bool:
    value = getattr(usage, name)
    return isinstance(value, int) and value > 0 and name not in ("requests", "reported_nano")

"""What the journal says of a request: a line when a stream opens, one when a request ends."""

from decimal import Decimal
from typing import Any

import msgspec

from billing.costs.pricing import Charge
from providers.attempts import Attempt
from providers.values import Usage

REFUSED = "refused"  # the outcome of a request that went nowhere


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that is booked of one request. Times are Unix seconds; money is nano-USD.

    opened: the first of the two lines of a stream. It counts only if no other follows before the
    process is gone. cost_nano: the customer's, None where the price is not known;
    provider_cost_nano: ours. markup, price_source, price_id and unit_prices (pico-USD by bucket)
    say how it was made. blocks: the block rules that kept an offer out; a request that was refused
    so is no usage and counts for them alone. hold_nano: what was reserved for it, in the lease that
    `lease` (a process) has of its account. Attempts carry what they cost us besides.
    """

    request_id: str
    at: float
    account_id: int
    key_id: str
    endpoint: str
    asked_model: str
    model_id: str = ""
    provider: str = ""
    upstream_id: str = ""
    stream: bool = False
    opened: bool = False
    status: int = 200
    outcome: str = "answered"
    error_code: str = ""
    attempts: list[Attempt] = []
    usage: Usage | None = None
    cost_nano: int | None = None
    provider_cost_nano: int | None = None
    markup: Decimal | None = None
    price_source: str = ""
    price_id: int = 0
    unit_prices: dict[str, int] = {}
    hold_nano: int = 0
    lease: str = ""
    duration_ms: int = 0
    first_byte_ms: int | None = None
    blocks: list[int] = []


def booked(cost: Charge | None, usage: Usage | None) -> dict[str, Any]:
    """Return a record's columns about money. What was used at no known price has no cost."""
    if cost is None:
        return {"cost_nano": None if usage else 0}
    return {
        "cost_nano": cost.cost_nano,
        "provider_cost_nano": cost.provider_cost_nano,
        "markup": cost.markup,
        "price_source": cost.source,
        "price_id": cost.price_id,
        "unit_prices": cost.unit_prices,
    }


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Record).decode

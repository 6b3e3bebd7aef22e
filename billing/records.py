"""What the journal says of a request: a line when a stream opens, one when a request ends."""

import msgspec

from providers.attempts import Attempt
from providers.values import Usage

REFUSED = "refused"  # the outcome of a request that went nowhere


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that is booked of one request. Times are Unix seconds; money is nano-USD.

    opened: the first of the two lines of a stream. It counts only if no other follows before the
    process is gone. cost_nano: None where the price is not known. blocks: the block rules that
    kept an offer out; a request that was refused so is no usage and counts for them alone.
    hold_nano: what was reserved for it, in the lease that `lease` (a process) has of its account.
    provider_cost_nano: what the answer costs us; attempts carry their own.
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
    hold_nano: int = 0
    lease: str = ""
    duration_ms: int = 0
    first_byte_ms: int | None = None
    blocks: list[int] = []


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Record).decode

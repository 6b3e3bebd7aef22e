"""What evidence proves of an offer. Pure.

Only "not found" counts against it, and only three times in a row; one success brings it back.
Failures of the provider, limits, timeouts, refused credentials and mistakes of a request prove
nothing: they are kept as soft evidence and told in the success rate, and change no state.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from providers.failures import KINDS

TRAFFIC, PROBE, LIST = "traffic", "probe", "list"
OK, NOT_FOUND, SOFT = "ok", "not_found", "soft"
UNKNOWN, UP, DOWN = "unknown", "up", "down"
ANSWERED, CANCELLED = "answered", "cancelled"
DOWN_AFTER = 3

# A provider that routes says "not found" of what this one request demanded, too: tools, images,
# a data policy. That is the request's, not the model's.
DEMANDED = re.compile(
    r"\bthat (?:can )?(?:support|handle)|\brequested parameters?\b|\bdata policy\b"
    r"|\bprivacy\b|\ballowed providers\b|\bignored\b",
    re.IGNORECASE,
)


class Finding(msgspec.Struct, frozen=True):
    """One dated proof. `at`: when it was over, in UTC; `detail`: safe to show.

    latency_ms: to the answer's end. first_byte_ms: to a stream's first event, None for whole
    answers. tokens: of the answer, which took `token_ms`. faultless: the request's own mistake,
    which says nothing of the provider either.
    """

    offer_id: int
    at: datetime
    source: str
    outcome: str
    status: int | None = None
    detail: str = ""
    latency_ms: int | None = None
    first_byte_ms: int | None = None
    tokens: int = 0
    token_ms: int = 0
    faultless: bool = False

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens * 1000 / self.token_ms if self.tokens and self.token_ms else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is held of an offer: its state, and what it rests on."""

    state: str = UNKNOWN
    hard_failures: int = 0
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    down_since: datetime | None = None


def outcome_of(kind: str, status: int | None, detail: str) -> str:
    """Return what an attempt proves that ended with `kind`: "answered" or a failure's name."""
    if kind == ANSWERED:
        return OK
    missing = kind == "model_missing" and status not in (401, 403)
    if not missing or DEMANDED.search(detail):
        return SOFT
    return NOT_FOUND


def is_faultless(kind: str) -> bool:
    """Whether a failure of this kind was the request's own mistake: no other route could help."""
    return kind in KINDS and not KINDS[kind].moves_on


def judged(standing: Standing, finding: Finding) -> Standing:
    """Return what is held after `finding`. A list tells what is for sale, not what answers."""
    if finding.source == LIST or (finding.outcome == SOFT and finding.faultless):
        return standing
    if finding.outcome == OK:
        success_at = later(standing.last_success_at, finding.at)
        return Standing(UP, 0, success_at, standing.last_failure_at)
    failed = replace(standing, last_failure_at=later(standing.last_failure_at, finding.at))
    if finding.outcome == SOFT:
        return failed
    failures = standing.hard_failures + 1
    if failures < DOWN_AFTER:
        return replace(failed, hard_failures=failures)
    since = standing.down_since or finding.at
    return replace(failed, hard_failures=failures, state=DOWN, down_since=since)


def later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def reason_of(state: str, down_since: datetime | None) -> str:
    """Say why an offer is out, or return the empty string."""
    if state != DOWN or down_since is None:
        return ""
    return f"down since {down_since:%Y-%m-%d %H:%M} UTC: not found three times in a row"

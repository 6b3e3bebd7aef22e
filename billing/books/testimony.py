"""What booked requests prove about offers, and which block rules they met."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.alarms import REFUSED, tell_refused
from billing.books.records import Record
from catalog.evidence import verdicts
from catalog.evidence.recording import count_hits, record
from catalog.evidence.verdicts import ANSWERED, CANCELLED, TRAFFIC, Finding
from providers.attempts import Attempt

MOST_TOKENS = 10**7
LOST = (DatabaseError, ValueError, OverflowError)  # what a database says to odd values
log = logging.getLogger(__name__)


def testify(booked: Sequence[Record]) -> None:
    """Record the evidence in what was booked. Money does not wait for it: what fails is lost."""
    complain(booked)
    findings = [finding for one in booked for finding in findings_of(one)]
    if not findings:
        return
    try:
        with transaction.atomic():
            record(findings)
    except LOST as problem:
        log.error("%s findings of requests were lost: %s", len(findings), problem)


def complain(booked: Sequence[Record]) -> None:
    """Raise an alert for each of the operator's own credentials that a provider refused."""
    refused = {
        (made.provider, made.credential): made.outcome
        for one in booked
        for made in one.attempts
        if made.outcome in REFUSED
    }
    if not refused:
        return
    try:
        with transaction.atomic():
            tell_refused(refused)
    except LOST as problem:
        log.error("%s refused credentials were not told: %s", len(refused), problem)


def findings_of(one: Record) -> Iterator[Finding]:
    """Yield what each attempt proves. One that the client left before the answer proves nothing."""
    at = datetime.fromtimestamp(one.at + one.duration_ms / 1000, UTC)
    for made in one.attempts:
        if made.offer and made.outcome == ANSWERED:
            yield answered(one, made, at)
        elif made.offer and made.outcome != CANCELLED:
            yield failed(made, at)


def failed(made: Attempt, at: datetime) -> Finding:
    outcome = verdicts.outcome_of(made.outcome, made.status, made.said)
    return Finding(
        made.offer,
        at,
        TRAFFIC,
        outcome,
        made.status,
        made.said or made.outcome,
        made.duration_ms,
        faultless=outcome != verdicts.NOT_FOUND and verdicts.is_faultless(made.outcome),
    )


def answered(one: Record, made: Attempt, at: datetime) -> Finding:
    """Return what an answer shows. A stream's attempt ends with its first event, and its tokens
    come after that; one that was cut short tells no speed."""
    first_byte_ms = made.duration_ms if one.stream else None
    latency_ms = None if one.outcome != ANSWERED else made.duration_ms
    if latency_ms is not None and one.stream:
        latency_ms += max(0, one.duration_ms - (one.first_byte_ms or one.duration_ms))
    tokens = min(one.usage.completion, MOST_TOKENS) if one.usage and latency_ms else 0
    return Finding(
        made.offer,
        at,
        TRAFFIC,
        verdicts.OK,
        200,
        "",
        latency_ms,
        first_byte_ms,
        tokens,
        latency_ms or 0,
    )


def count_blocks(found: Sequence[Record]) -> None:
    """Count for each block rule the requests in which it kept an offer out."""
    hits = Counter(rule for one in found for rule in one.blocks)
    if not hits:
        return
    try:
        with transaction.atomic():
            count_hits(hits, timezone.now())
    except LOST as problem:
        log.error("hits of %s block rules were lost: %s", len(hits), problem)

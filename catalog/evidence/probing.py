"""Probes offers and records what that proves: who may be probed, when again, what it cost."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from catalog.evidence import verdicts
from catalog.evidence.models import OfferHealth
from catalog.evidence.recording import record
from catalog.evidence.verdicts import NOT_FOUND, OK, PROBE, Finding
from catalog.models import BlockRule, Offer
from catalog.values import Block
from catalog.values import Offer as OfferValue
from providers.probes import Probed, can_probe, probe
from providers.rewriting import rewrite
from providers.values import Endpoint, Price, Route, Usage

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(days=1)
CONTENT_FOR = timedelta(hours=6)
PICO_PER_USD = 10**12
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """An offer as a probe sees it."""

    row: Offer
    value: OfferValue
    endpoint: Endpoint
    can: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.value.model_id} at {self.value.slug}"

    @property
    def capability(self) -> str:
        """The one to probe by; "" if there is none."""
        return next((can for can in self.can if can_probe(self.endpoint, can)), "")

    def route(self) -> Route:
        value, endpoint = self.value, self.endpoint
        upstream_id = rewrite(endpoint.rewrites, value.upstream_id, "", value.backends)
        return Route(
            endpoint,
            endpoint.secrets[0],
            value.model_id,
            value.model_id,
            upstream_id,
            value.id,
            value.price,
        )


def subject(row: Offer, endpoint: Endpoint) -> Subject:
    value = row.value_of()
    can = value.capabilities or row.model.value_of().capabilities
    return Subject(row, value, endpoint, tuple(sorted(can)))


def unfit(it: Subject) -> str:
    """Say why an offer cannot be probed at all, or return the empty string."""
    if not (it.value.enabled and it.endpoint.enabled):
        return "it is switched off"
    if it.row.retired_at is not None:
        return f"{it.value.slug} no longer lists it"
    if not it.endpoint.secrets:
        return f"no credential is set up for {it.value.slug}"
    if not it.capability:
        return f"{', '.join(it.can) or 'nothing'} cannot be probed there"
    return unpriced(it.value.price, it.capability)


def unpriced(price: Price, capability: str) -> str:
    needed = (price.input,) if capability == "embeddings" else (price.input, price.output)
    return "its price is not known" if None in needed else ""


def enabled_blocks() -> list[Block]:
    rows = BlockRule.objects.filter(enabled=True).select_related("provider")
    return [row.value_of() for row in rows]


def unexpired_blocks() -> list[Block]:
    """Return the block rules whose time is not over: what they hold is never probed."""
    now = time.time()
    return [block for block in enabled_blocks() if block.is_current(now)]


def blocked(it: Subject, blocks: list[Block]) -> str:
    found = next((block for block in blocks if block.matches(it.value)), None)
    return f"blocked: {found.reason}" if found is not None else ""


def claim(offer_id: int, now: datetime, due: bool = True) -> bool:
    """Take the next probe of an offer for this process; `due`: only if it is time for one."""
    with transaction.atomic():
        OfferHealth.objects.bulk_create([OfferHealth(offer_id=offer_id)], ignore_conflicts=True)
        row = OfferHealth.objects.filter(pk=offer_id)
        if due:
            row = row.filter(Q(next_probe_at=None) | Q(next_probe_at__lte=now))
        return bool(row.update(next_probe_at=now + FIRST_WAIT))


def examine(it: Subject) -> Finding:
    """Probe an offer that is claimed; record the evidence, its cost and when to probe again."""
    probed = probe(it.route(), it.capability)
    finding = finding_of(it, probed)
    health = OfferHealth.objects.only("probe_failures").get(pk=it.value.id)
    failures = 0 if finding.outcome == OK else health.probe_failures + 1
    with transaction.atomic():
        record([finding])
        OfferHealth.objects.filter(pk=it.value.id).update(
            probed_at=finding.at,
            next_probe_at=finding.at + wait(failures),
            probe_failures=failures,
        )
    log.info(
        "probed %s by %s: %s %s, %s ms, %s",
        it,
        it.capability,
        finding.outcome,
        finding.detail,
        probed.latency_ms,
        cost(it.value.price, probed.usage),
    )
    return finding


def finding_of(it: Subject, probed: Probed) -> Finding:
    now = datetime.now(UTC)
    failure = probed.failure
    if failure is None:
        return Finding(it.value.id, now, PROBE, OK, 200, it.capability, probed.latency_ms)
    outcome = verdicts.outcome_of(failure.kind.name, failure.status, failure.message)
    return Finding(
        it.value.id,
        now,
        PROBE,
        outcome,
        failure.status,
        failure.message,
        probed.latency_ms,
        faultless=outcome != NOT_FOUND and verdicts.is_faultless(failure.kind.name),
    )


def wait(failures: int) -> timedelta:
    """Return how long to leave an offer alone: twice as long after each failure in a row."""
    if not failures:
        return CONTENT_FOR
    return min(FIRST_WAIT * 2 ** min(failures - 1, 20), LONGEST_WAIT)


def cost(price: Price, usage: Usage | None) -> str:
    if usage is None:
        return "free unless it was billed"
    pico = usage.prompt * (price.input or 0) + usage.completion * (price.output or 0)
    return f"{pico / PICO_PER_USD:.9f} USD"

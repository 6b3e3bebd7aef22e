"""One sync from beginning to end; whatever happens, the run's record says it."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from catalog.alerts.evaluating import after_sync
from catalog.syncs import known
from catalog.syncs.applying import Overtaken, apply, counts, summary
from catalog.syncs.diffing import Columns, Difference, diff
from catalog.syncs.facts import row_of
from catalog.syncs.guards import objections
from catalog.syncs.models import Change, Changeset, SyncRun
from catalog.syncs.reading import Reader, Reading, Report, Unreadable
from catalog.syncs.sources import etags, sources
from providers.configuration import acting_as
from providers.fetching import Fetcher, FetchFailed, Limits
from providers.models import Provider

AUTHOR = "sync"
SIGN_OF_LIFE_S = 2.0
MOST_MESSAGE = 1000
AT_ONCE = 500
LIMITS = Limits()
log = logging.getLogger(__name__)

Told = Callable[[Report, Reading], None]


class Cancelled(Exception):
    """An admin asked the run to stop, or another one took its place."""


class Pulse:
    """Shows that the run lives, now and then; called often, it ends a run that was cancelled."""

    def __init__(self, run: SyncRun) -> None:
        self._run = run
        self._next = 0.0

    def beat(self) -> None:
        if time.monotonic() >= self._next:
            self.tell()

    def tell(self, **progress: int) -> None:
        self._next = time.monotonic() + SIGN_OF_LIFE_S
        if not self._run.alive(**progress):
            raise Cancelled


def quiet(report: Report, reading: Reading) -> None:
    pass


def sync(
    provider: Provider, told: Told = quiet, force: bool = False, limits: Limits = LIMITS
) -> SyncRun:
    """Read the provider's lists and apply what differs; return the run, which has ended.

    told is called after each page. force: read even what the provider says is unchanged.
    Raises Overlap while another sync of the provider is under way.
    """
    run = SyncRun.objects.claim(provider)
    try:
        with acting_as(AUTHOR):
            carry_out(run, told, force, limits)
    except (Cancelled, Overtaken):
        run.end("cancelled", message="cancelled")
    except FetchFailed as problem:
        unreadable = isinstance(problem, Unreadable)
        run.end("failed", message=str(problem)[:MOST_MESSAGE], unreadable=unreadable)
    except Exception as problem:
        log.exception("the sync of %s failed", provider.slug)
        run.end("failed", message=f"{type(problem).__name__}: {problem}"[:MOST_MESSAGE])
    except BaseException:
        run.end("failed", message="it was interrupted")
        raise
    run.refresh_from_db()
    after_sync()
    return run


def carry_out(run: SyncRun, told: Told, force: bool, limits: Limits) -> None:
    provider, pulse = run.provider, Pulse(run)

    def page_done(report: Report, reading: Reading) -> None:
        pulse.tell(**reading.counts)
        told(report, reading)

    lists = sources(provider)
    with Fetcher(provider.private_network, limits, pulse.beat) as fetcher:
        reading = Reader(fetcher, page_done).read(lists, {} if force else etags(provider))
    if reading.unchanged:
        run.end("unchanged", message="the provider says that nothing changed")
        return
    have = known.offers_of(provider)
    differences = diff(have, {row.upstream_id: row_of(row) for row in reading.listed.values()})
    reasons = objections(provider.guards, have, len(reading.listed), differences)
    pulse.tell()
    settle(run, reading, differences, reading.objections() + reasons)


def settle(
    run: SyncRun, reading: Reading, differences: list[Difference], reasons: list[str]
) -> None:
    """End the run: nothing differs, or what does is held back, or applied."""
    record: dict[str, Any] = {
        **reading.counts,
        "entries": reading.entries,
        "refused": [{"id": row.upstream_id, "reason": row.reason} for row in reading.refused],
        "refused_count": reading.refused_count,
    }
    if not differences and not reasons:
        run.end("unchanged", **record)
        return
    record |= counts(differences) | {"message": "; ".join(reasons) or summary(differences)}
    if reasons:
        hold(run, differences, reasons, record)
        return
    with transaction.atomic():
        nameless = apply(run, differences, partial(run.end, "applied", **record))
        keep(run, differences, "applied")
        supersede(run)
        if nameless:
            more = [{"id": line.partition(":")[0], "reason": line} for line in nameless]
            SyncRun.objects.filter(pk=run.pk).update(refused=record["refused"] + more)


def hold(
    run: SyncRun, differences: list[Difference], reasons: list[str], record: dict[str, Any]
) -> None:
    """Keep the differences for an admin; the catalogue stays as it is."""
    with transaction.atomic():
        if not run.end("quarantined", **record):
            raise Overtaken
        keep(run, differences, "quarantined", reasons)
        supersede(run)


def keep(
    run: SyncRun, differences: list[Difference], state: str, reasons: list[str] | None = None
) -> None:
    changeset = Changeset.objects.create(
        run=run,
        state=state,
        reasons=reasons or [],
        decided_by=AUTHOR if state == "applied" else "",
        decided_at=run.finished_at if state == "applied" else None,
    )
    Change.objects.bulk_create(
        [
            Change(
                changeset=changeset,
                kind=change.kind,
                upstream_id=change.upstream_id,
                before=change.before,
                after=change.after if state == "quarantined" else brief(change.after),
            )
            for change in differences
        ],
        batch_size=AT_ONCE,
    )


def brief(after: dict[str, Columns]) -> dict[str, Columns]:
    """Leave out descriptions: once applied, they are with their models."""
    model = after.get("model")
    if not model or "listed_description" not in model:
        return after
    rest = {name: value for name, value in model.items() if name != "listed_description"}
    return {**after, "model": rest}


def supersede(run: SyncRun) -> None:
    """What waited from earlier runs of the provider is out of date."""
    waiting = Changeset.objects.filter(run__provider=run.provider, state="quarantined")
    waiting.exclude(run=run).update(
        state="rejected", decided_by=f"superseded by run {run.pk}", decided_at=run.finished_at
    )

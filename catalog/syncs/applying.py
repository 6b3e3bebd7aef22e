"""Differences into rows: in one transaction and one revision, or not at all."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.evidence.models import Evidence
from catalog.evidence.verdicts import LIST, NOT_FOUND, OK
from catalog.listed import LISTING
from catalog.models import Model, Offer, State
from catalog.prices import LISTED_FIELDS, UNKNOWN, PriceRecord, Prices
from catalog.syncs import known
from catalog.syncs.diffing import MISSING_RUNS, Difference
from catalog.syncs.facts import Identity
from catalog.syncs.identity import Place, place
from catalog.syncs.models import SyncRun
from providers.configuration import announce, one_revision
from providers.models import Provider

AT_ONCE = 500
COUNTED = {"added": "added", "missing": "removed", "retired": "retired", "returned": "returned"}


class Overtaken(RuntimeError):
    """Somebody else ended the run, or decided the changeset, in the meantime."""


def apply(
    run: SyncRun,
    differences: Sequence[Difference],
    still_ours: Callable[[], bool],
    confirmed: bool = False,
) -> list[str]:
    """Bring the catalogue to what was listed; return a line per id for which no name was left.

    still_ours: the conditional UPDATE that ends the run; if it changes no row, nothing is applied.
    confirmed: an admin looked, so what is missing is retired at once.
    """
    provider = run.provider
    with one_revision(f"synced {provider.slug}: {summary(differences)}"):
        State.objects.select_for_update().filter(pk=1).first()  # before any row, as others do
        if not still_ours():
            raise Overtaken("it was ended in the meantime")
        writer = Writer(provider, run, confirmed)
        writer.write(differences)
        announce(writer.parts | Model.objects.filter(pk__in=writer.models).parts(), "")
    return writer.refused


def counts(differences: Iterable[Difference]) -> dict[str, int]:
    """Return how many offers were added, removed, changed, returned and retired."""
    ids: dict[str, set[str]] = {}
    for change in differences:
        ids.setdefault(COUNTED.get(change.kind, "changed"), set()).add(change.upstream_id)
    names = ("added", "removed", "changed", "returned", "retired")
    return {name: len(ids.get(name, ())) for name in names}


def summary(differences: Iterable[Difference]) -> str:
    found = counts(differences).items()
    return ", ".join(f"{count:,} {name}" for name, count in found if count) or "no change"


class Writer:
    """Writes a provider's differences. parts: what the data plane has to read anew, and the models
    of which it has to read what is said of them."""

    def __init__(self, provider: Provider, run: SyncRun, confirmed: bool) -> None:
        self.provider, self.run, self.confirmed = provider, run, confirmed
        self.now = timezone.now()
        self.parts: set[str] = set()
        self.models: set[int] = set()
        self.refused: list[str] = []
        self.offers: dict[str, tuple[int, int]] = {}
        self.prices: dict[int, Prices] = {}
        self.evidence: list[Evidence] = []

    def write(self, differences: Sequence[Difference]) -> None:
        rows = Offer.objects.filter(provider=self.provider).order_by("-source", "-pk")
        self.offers = {
            upstream_id: (pk, model)
            for pk, model, upstream_id in rows.values_list("pk", "model_id", "upstream_id")
        }
        new = [d for d in differences if d.kind == "added" and d.upstream_id not in self.offers]
        if new:
            self.add(new)
        verbs = {"missing": self.miss, "retired": self.retire, "returned": self.bring_back}
        for change in differences:
            if change.kind != "added" and change.upstream_id in self.offers:
                verbs.get(change.kind, self.change)(change)
        PriceRecord.objects.note(LISTING, self.prices, self.run)
        Evidence.objects.bulk_create(self.evidence, batch_size=AT_ONCE)

    def witness(self, offer_pk: int, outcome: str, detail: str) -> None:
        """Keep that the list has an offer, or not any more. It changes no offer's state."""
        row = Evidence(offer_id=offer_pk, at=self.now, source=LIST, outcome=outcome, detail=detail)
        self.evidence.append(row)

    def add(self, new: Sequence[Difference]) -> None:
        identities = ((d.upstream_id, Identity(**d.after.get("identity", {}))) for d in new)
        places = place(self.provider.slug, identities, known.book_of(self.provider))
        self.refused += [f"{id}: no name is left for it" for id, at in places.items() if not at]
        placed = [(d, at) for d in new if (at := places[d.upstream_id]) is not None]
        self.add_models([(d, at) for d, at in placed if at.new])
        models = Model.objects.in_bulk([at.model_id for _, at in placed], field_name="model_id")
        offers = [self.offer(d, models[at.model_id]) for d, at in placed]
        Offer.objects.bulk_create(offers, batch_size=AT_ONCE)
        for offer in offers:
            self.witness(offer.pk, OK, "listed for the first time")
            if offer.listed_prices != UNKNOWN:
                self.prices[offer.pk] = offer.listed_prices

    def add_models(self, placed: Sequence[tuple[Difference, Place]]) -> None:
        rows = [
            Model(
                model_id=at.model_id,
                capabilities=[],
                hugging_face_id=at.known_as,
                source=LISTING,
                listed_by=self.provider,
                created_at=self.moment(change.after.get("identity", {}).get("created")),
                **change.after.get("model", {}),
            )
            for change, at in placed
        ]
        if rows:
            Model.objects.bulk_create(rows, batch_size=AT_ONCE)

    def offer(self, change: Difference, model: Model) -> Offer:
        columns = typed(change.after.get("offer", {}))
        return Offer(
            model=model,
            provider=self.provider,
            upstream_id=change.upstream_id,
            source=LISTING,
            first_listed_at=self.now,
            **columns,
        )

    def moment(self, created: int | None) -> datetime:
        return datetime.fromtimestamp(created, UTC) if created else self.now

    def change(self, change: Difference) -> None:
        pk, model_pk = self.offers[change.upstream_id]
        columns = typed(change.after.get("offer", {}))
        if columns:
            Offer.objects.filter(pk=pk).record(**columns)
            self.touch()
        if not columns.keys().isdisjoint(LISTED_FIELDS):
            row = Offer.objects.filter(pk=pk).values_list(*LISTED_FIELDS, named=True).get()
            self.prices[pk] = Prices.of(row, "listed_")
        if "model" in change.after:
            words = {**change.after["model"], "listed_by": self.provider}
            Model.objects.filter(pk=model_pk).record(**words)
            self.models.add(model_pk)

    def miss(self, change: Difference) -> None:
        if self.confirmed:
            self.retire(change)
            return
        runs = change.after["offer"]["missing_runs"]
        self.absent(change, missing_runs=runs)

    def retire(self, change: Difference) -> None:
        """Take it out of listings and routes; its row and history stay."""
        self.absent(change, missing_runs=MISSING_RUNS, retired_at=self.now)
        model = Model.objects.filter(pk=self.offers[change.upstream_id][1])
        model.filter(listed_by=self.provider).record(listed_by=None)
        self.touch()

    def absent(self, change: Difference, **columns: Any) -> None:
        last = Coalesce("last_listed_at", self.now)
        pk = self.offers[change.upstream_id][0]
        Offer.objects.filter(pk=pk).record(last_listed_at=last, **columns)
        runs = columns["missing_runs"]
        said = "retired" if "retired_at" in columns else f"{runs} of {MISSING_RUNS} readings"
        self.witness(pk, NOT_FOUND, f"not in the list, {said}")

    def bring_back(self, change: Difference) -> None:
        rows = Offer.objects.filter(pk=self.offers[change.upstream_id][0])
        if rows.filter(retired_at__isnull=False).exists():
            self.touch()
        rows.record(missing_runs=0, retired_at=None, last_listed_at=None)
        self.witness(self.offers[change.upstream_id][0], OK, "in the list again")

    def touch(self) -> None:
        self.parts.add(f"offers:{self.provider.slug}")


def typed(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns with prices as numbers again."""
    return {
        name: Decimal(value) if name in LISTED_FIELDS and isinstance(value, str) else value
        for name, value in columns.items()
    }

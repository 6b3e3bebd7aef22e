"""What differs between the offers that we know and those that are listed now. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from catalog.syncs.facts import ModelFacts, OfferFacts, Row

MISSING_RUNS = 3
OTHER = "other"
KIND_OF = {
    "listed_input_price": "price",
    "listed_output_price": "price",
    "listed_cached_input_price": "price",
    "listed_other_prices": "price",
    "listed_context_length": "context",
    "max_output_tokens": "context",
    "listed_capabilities": "capabilities",
}
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """An offer that we have. model: None where another provider's words describe the model.

    by_hand: an admin made it, so no list's silence retires it.
    """

    pk: int
    model_pk: int
    offer: OfferFacts
    model: ModelFacts | None = None
    missing_runs: int = 0
    retired: bool = False
    by_hand: bool = False

    @property
    def counts(self) -> bool:
        """Whether its absence from a list means something."""
        return not (self.retired or self.by_hand)


@dataclass(frozen=True, slots=True)
class Difference:
    """before and after hold columns by table (`offer`, `model`, `identity`), fit for JSON."""

    kind: str
    upstream_id: str
    before: dict[str, Columns] = field(default_factory=dict)
    after: dict[str, Columns] = field(default_factory=dict)


def diff(known: Mapping[str, Known], rows: Mapping[str, Row]) -> list[Difference]:
    """Return the differences in a stable order, whatever order the list came in."""
    found: list[Difference] = []
    for upstream_id in sorted(rows):
        row, offer = rows[upstream_id], known.get(upstream_id)
        if offer is None:
            found.append(added(row))
        else:
            found += changed(offer, row)
    gone = (upstream_id for upstream_id in sorted(known) if upstream_id not in rows)
    return found + [absent(id, known[id]) for id in gone if known[id].counts]


def added(row: Row) -> Difference:
    tables = {"offer": row.offer, "model": row.model, "identity": row.identity}
    after = {name: stated(facts) for name, facts in tables.items()}
    return Difference("added", row.upstream_id, after=after)


def absent(upstream_id: str, offer: Known) -> Difference:
    runs = offer.missing_runs + 1
    kind = "retired" if runs >= MISSING_RUNS else "missing"
    before, after = ({"offer": {"missing_runs": count}} for count in (offer.missing_runs, runs))
    return Difference(kind, upstream_id, before, after)


def changed(offer: Known, row: Row) -> Iterator[Difference]:
    if offer.missing_runs or offer.retired:
        yield Difference(
            "returned", row.upstream_id, {"offer": {"missing_runs": offer.missing_runs}}
        )
    kinds: dict[str, Difference] = {}
    tables: list[tuple[str, Any, Any]] = [
        ("offer", offer.offer, row.offer),
        ("model", offer.model, row.model),
    ]
    for table, was, now in tables:
        if was is None or was == now:
            continue
        for column in fields(now):
            old, new = getattr(was, column.name), getattr(now, column.name)
            if old != new:
                kind = KIND_OF.get(column.name, OTHER) if table == "offer" else OTHER
                entry = kinds.setdefault(kind, Difference(kind, row.upstream_id))
                entry.before.setdefault(table, {})[column.name] = plain(old)
                entry.after.setdefault(table, {})[column.name] = plain(new)
    yield from kinds.values()


def stated(facts: Any) -> Columns:
    """Return what the facts say, without what they leave empty."""
    values = ((column.name, getattr(facts, column.name)) for column in fields(facts))
    return {name: plain(value) for name, value in values if value not in (None, "", (), {})}


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return list(value) if isinstance(value, tuple) else value

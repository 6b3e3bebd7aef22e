"""Planned changes into rows, each checked by its own model. Called inside one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from gatewayz.configfile.planning import Change
from gatewayz.configfile.problems import Problem
from gatewayz.configfile.rows import TABLES, State
from gatewayz.configfile.schema import CREDENTIAL, KINDS, PLAN, PROVIDER, Kind

REFERENCES = ("provider", "model", "plan")
AT_ONCE = 500  # rows per statement
ONE_BY_ONE = (PROVIDER, CREDENTIAL, PLAN)  # their save() or primary key does more than a bulk write
LAST_POSITION = 32767


class Writer:
    """Writes the changes that are in order and collects what is wrong with the others."""

    def __init__(self, state: State) -> None:
        self.problems: list[Problem] = []
        self.parents = {
            name: {identity[0]: stored.row for identity, stored in state[name].items()}
            for name in REFERENCES
        }
        self.stored = state
        self.positions: dict[str, int] = {}
        for stored in state["rewrite"].values():
            self.follow(stored.values["provider"], stored.row.position)

    def write(self, changes: Sequence[Change], refused: set[str]) -> list[Problem]:
        """Make `changes` but those of the paths in `refused`; return the problems of the others."""
        pairs = [(change, self.prepared(change)) for change in changes if change.wanted]
        bad = refused | {problem.path for problem in self.problems}
        for kind in reversed(KINDS):
            self.remove(kind, [c.identity for c in changes if c.kind is kind and c.sign == "-"])
        for kind in KINDS:
            self.save(kind, [pair for pair in pairs if pair[0].kind is kind and sound(*pair, bad)])
        return self.problems

    def prepared(self, change: Change) -> Any:
        """Return the row with the change made, in memory, its fields checked."""
        name = change.kind.name
        adding = change.sign == "+"
        row = TABLES[name]() if adding else self.stored[name][change.identity].row
        columns = {field.name for field in row._meta.concrete_fields}
        for field, value in change.fields.items():
            if field in REFERENCES and field in columns:
                value = self.parents[field].get(value)
            if field in columns:
                setattr(row, field, value)
        if adding and name in self.parents:
            self.parents[name][change.identity[0]] = row
        if adding and name == "rewrite":
            row.position = self.follow(change.fields["provider"])
        self.link(row, change)
        self.check(change, lambda: row.clean_fields(exclude=unchecked(change, columns)))
        return row

    def link(self, row: Any, change: Change) -> None:
        """Attach the parents that are at hand, so that no query looks them up again."""
        for field in REFERENCES:
            parent = self.parents[field].get({**change.before, **change.fields}.get(field))
            if parent is not None and field in {f.name for f in row._meta.concrete_fields}:
                setattr(row, field, parent)

    def follow(self, provider: str, position: int | None = None) -> int:
        """Return the position after the provider's last rule; later equals sort by primary key."""
        last = self.positions.get(provider, 0)
        place = min(last + 10, LAST_POSITION) if position is None else max(last, position)
        self.positions[provider] = place
        return place

    def remove(self, kind: Kind, identities: Sequence[tuple[object, ...]]) -> None:
        keys = [self.stored[kind.name][identity].row.pk for identity in identities]
        for start in range(0, len(keys), AT_ONCE):
            TABLES[kind.name].objects.filter(pk__in=keys[start : start + AT_ONCE]).delete()

    def save(self, kind: Kind, pairs: Sequence[tuple[Change, Any]]) -> None:
        added = [row for change, row in pairs if change.sign == "+"]
        if kind in ONE_BY_ONE:
            for row in added:
                row.save(force_insert=True)
        elif added:
            TABLES[kind.name].objects.bulk_create(added, batch_size=AT_ONCE)
        for change, row in pairs:
            if change.sign == "~":
                row.save(update_fields=written(change))
        if TABLES[kind.name].clean is not models.Model.clean:
            for change, row in pairs:
                self.check(change, row.clean)

    def check(self, change: Change, test: Any) -> None:
        try:
            test()
        except ValidationError as error:
            self.problems += [change.asked.problem(*said) for said in sentences(error)]


def unchecked(change: Change, columns: set[str]) -> set[str]:
    """An edit is checked in what it names; a value that was refused is not checked twice."""
    known = set(change.kind.by_field) | set(change.kind.identity)
    skipped = {*REFERENCES, *change.asked.broken, *(columns - known)}
    return skipped | (columns - set(change.fields) if change.sign == "~" else set())


def sound(change: Change, row: Any, bad: set[str]) -> bool:
    """Tell whether the row can be written: itself in order, and what it belongs to stored."""
    wanted = change.asked
    paths = (wanted.path, *(wanted.problem("", name).path for name in wanted.kind.by_field))
    if wanted.broken or not bad.isdisjoint(paths):
        return False
    columns = {field.name: field for field in row._meta.concrete_fields}
    needed = [columns[name] for name in REFERENCES if name in columns]
    return all(linked(row, field) for field in needed)


def linked(row: Any, field: Any) -> bool:
    parent = field.get_cached_value(row, default=None)
    if parent is None:
        return bool(field.null)
    return parent.pk is not None


def written(change: Change) -> list[str]:
    extra = ["last4"] if change.kind is CREDENTIAL and "value" in change.fields else []
    return [*change.fields, *extra]


def sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield a model's objections as (message, field); no field where it is the row's."""
    by_field = hasattr(error, "error_dict")
    fields = error.error_dict if by_field else {NON_FIELD_ERRORS: error.error_list}
    for field, problems in fields.items():
        for problem in problems:
            text = "missing" if problem.code in ("blank", "null") else " ".join(problem.messages)
            yield text, "" if field == NON_FIELD_ERRORS else field

"""The difference between a file and what is stored, as changes. Pure: rows are values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gatewayz.configfile.document import Wanted
from gatewayz.configfile.problems import shown
from gatewayz.configfile.schema import KINDS, Kind

Identity = tuple[object, ...]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """sign: + adds, ~ changes, - removes. fields: what is written; before: what the row has now."""

    sign: str
    kind: Kind
    identity: Identity
    fields: Values
    before: Values = field(default_factory=dict)
    wanted: Wanted | None = None

    @property
    def asked(self) -> Wanted:
        """The row in the file behind an addition or a change."""
        assert self.wanted is not None
        return self.wanted

    def lines(self) -> Iterator[str]:
        """Yield the lines of the plan. A credential's value is never in them."""
        label = title(
            self.kind, {**self.before, **self.fields} if self.sign == "+" else self.before
        )
        if self.sign != "~":
            yield f"{self.sign} {label}"
            return
        for name, value in self.fields.items():
            key = self.kind.by_field.get(name)
            if self.kind.name == "credential" and name == "value":
                yield f"~ {label}.value: replaced"
            elif key is None:
                yield f"~ {label}.{name}: {self.before[name]} → {value}"
            else:
                old, new = key.write(self.before[name]), key.write(value)
                yield f"~ {label}.{key.path}: {said(old)} → {said(new)}"


def title(kind: Kind, values: Values) -> str:
    """Name a row for people."""
    if kind.name == "provider alias":
        return f"provider alias {values['alias']} of {values['provider']}"
    if kind.name == "credential":
        own = values.get("label") or values.get("env") or f"…{values.get('last4') or ''}"
        return f"credential {shown(own)} at {values['provider']}"
    if kind.name == "rewrite":
        return f"rewrite {values['step'] + 1} at {values['provider']}"
    if kind.name == "limit":
        return f"limit {values['step'] + 1} of plan {values['plan']}"
    if kind.name == "offer":
        return f"offer {values['model']} at {values['provider']}"
    if kind.name == "block":
        return f"block {shown(values['pattern'])} at {values['provider'] or 'all'}"
    return f"{kind.name} {values[kind.identity[0]]}"


def said(value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, str | date):
        return shown(value, 100)
    return shown(json.dumps(value, ensure_ascii=False), 100)


def difference(
    wanted: Mapping[str, Mapping[Identity, Wanted]],
    stored: Mapping[str, Mapping[Identity, Values]],
    removable: "Removable",
) -> list[Change]:
    """Return the changes that bring `stored` to `wanted`, in a stable order."""
    changes = []
    for kind in KINDS:
        rows, there = wanted.get(kind.name, {}), stored[kind.name]
        changes += [
            Change("-", kind, identity, {}, values)
            for identity, values in there.items()
            if identity not in rows and removable.holds(kind, values)
        ]
        for identity, row in rows.items():
            changes += compared(kind, identity, row, there.get(identity))
    return changes


def compared(kind: Kind, identity: Identity, row: Wanted, before: Values | None) -> list[Change]:
    if before is None:
        return [Change("+", kind, identity, row.values, wanted=row)]
    fields = {name: value for name, value in row.values.items() if differs(before, name, value)}
    return [Change("~", kind, identity, fields, before, row)] if fields else []


def differs(before: Values, name: str, value: object) -> bool:
    """A credential's value is only in `row.values` when it differs from the stored one."""
    return (name == "value" and "slot" in before) or (name in before and before[name] != value)


@dataclass(frozen=True, slots=True)
class Removable:
    """Which rows go when the file does not name them.

    complete: lists that the file gives whole; pruned: with --prune, kinds whose section it has;
    gone: providers and models that go, and take what belongs to them along.
    """

    complete: set[tuple[str, object]]
    pruned: frozenset[str]
    gone: Mapping[str, frozenset[object]]

    def holds(self, kind: Kind, values: Values) -> bool:
        """What a sync made goes with its provider or model alone: files speak of what is theirs."""
        if any(
            name in values and values[name] is not None and values[name] in gone
            for name, gone in self.gone.items()
        ):
            return True
        if values.get("from_list"):
            return False
        if kind.name in self.pruned:
            return True
        return bool(kind.parent and (kind.name, values[kind.parent]) in self.complete)

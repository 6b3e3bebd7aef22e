"""A document and the stored rows to a plan: names resolved, lists matched, collisions found. Pure
but for the secrets that it asks the stored credentials to compare."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewayz.configfile import credentials, references
from gatewayz.configfile.document import Document, Wanted
from gatewayz.configfile.planning import Change, Identity, Removable, Values, difference
from gatewayz.configfile.problems import Problem, shown
from gatewayz.configfile.schema import (
    CREDENTIAL,
    KINDS,
    MODEL,
    PLAN,
    PROVIDER,
    PROVIDER_ALIAS,
    SECTIONS,
)

Rows = Mapping[str, Mapping[Identity, Values]]
Index = dict[str, dict[Identity, Wanted]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes to make, what is wrong, and what the operator should know all the same."""

    changes: list[Change]
    problems: list[Problem]
    notes: list[str]


def prepare(
    document: Document,
    stored: Rows,
    defaults: Mapping[str, Mapping[str, Any]],
    opens: Callable[[Identity, str], bool],
    prune: bool,
) -> Plan:
    """Plan the way from `stored` to `document`. opens: whether a credential is the given secret."""
    problems = list(document.problems)
    removable = what_may_go(document, stored, prune)
    problems += references.resolve(document, names_after(document, stored, removable))
    missing = match_credentials(document, stored, opens, problems)
    for row in document.rows:
        if row.kind.listed:
            row.values = {**defaults[row.kind.name], **row.values}
    lost = {id(row) for row in missing}
    wanted = indexed([row for row in document.rows if id(row) not in lost], problems)
    changes = difference(wanted, stored, removable)
    final = after(changes, stored)
    for change in changes:
        if change.wanted:
            problems += references.collisions(change.wanted, final)
            problems += taken_alias(change, removable)
    notes = [absent(row) for row in missing] + list(dangling(changes, final))
    return Plan(changes, problems, notes)


def what_may_go(document: Document, stored: Rows, prune: bool) -> Removable:
    """Find what the file lets go: whole lists, and with `prune` the rows its sections leave out."""
    pruned = {SECTIONS[name].name for name in document.sections} if prune else set()
    gone = {}
    for kind, reference in ((PROVIDER, "provider"), (MODEL, "model"), (PLAN, "plan")):
        named = {row.key for row in document.rows if row.kind is kind}
        left_out = {
            key[0]
            for key, values in stored[kind.name].items()
            if key not in named and not values.get("from_list")
        }
        gone[reference] = frozenset(left_out if kind.name in pruned else ())
    return Removable(document.complete, frozenset(pruned), gone)


def names_after(document: Document, stored: Rows, removable: Removable) -> dict[str, str]:
    staying = {
        kind.name: {k: v for k, v in stored[kind.name].items() if not goes(k, v, kind, removable)}
        for kind in (PROVIDER, PROVIDER_ALIAS)
    }
    return references.provider_names(document.rows, staying["provider"], staying["provider alias"])


def goes(identity: Identity, values: Values, kind: Any, removable: Removable) -> bool:
    if kind is PROVIDER:
        return identity[0] in removable.gone["provider"]
    return removable.holds(kind, values)


def match_credentials(
    document: Document,
    stored: Rows,
    opens: Callable[[Identity, str], bool],
    problems: list[Problem],
) -> list[Wanted]:
    """Find the stored row of each listed credential; return those that are stored nowhere here."""
    listed: dict[object, list[Wanted]] = {}
    for row in document.rows:
        if row.kind is CREDENTIAL:
            listed.setdefault(row.values["provider"], []).append(row)
    missing = []
    for provider, items in listed.items():
        kept = [
            credentials.Kept(key[1], row["env"], row["label"], row["last4"], opener(opens, key))
            for key, row in stored["credential"].items()
            if key[0] == provider
        ]
        result = credentials.match(items, kept)
        problems += result.problems
        missing += result.missing
    return missing


def opener(opens: Callable[[Identity, str], bool], key: Identity) -> Callable[[str], bool]:
    return lambda secret: opens(key, secret)


def indexed(rows: list[Wanted], problems: list[Problem]) -> Index:
    """Return the rows by kind and identity; tell of rows that the file has twice."""
    index: Index = {kind.name: {} for kind in KINDS}
    for row in rows:
        if row.broken & set(row.kind.identity):
            continue
        first = index[row.kind.name].setdefault(row.key, row)
        if first is not row and row.path != first.path:
            problems.append(row.problem(f"line {first.line} ({first.path}) has this already"))
    return index


def after(changes: list[Change], stored: Rows) -> dict[str, dict[Identity, Values]]:
    """Return every row as it is once the changes are made."""
    final = {name: dict(rows) for name, rows in stored.items()}
    for change in changes:
        rows = final[change.kind.name]
        if change.sign == "-":
            del rows[change.identity]
        else:
            rows[change.identity] = {**change.before, **change.fields}
    return final


def taken_alias(change: Change, removable: Removable) -> Iterator[Problem]:
    """An alias moves only when the file gives its old provider's list too."""
    moved = change.kind is PROVIDER_ALIAS and change.sign == "~"
    if moved and change.wanted and not removable.holds(PROVIDER_ALIAS, change.before):
        owner = change.before["provider"]
        yield change.wanted.problem(f"{change.identity[0]} is an alias of {owner} already")


def absent(row: Wanted) -> str:
    name = row.values.get("label") or f"…{row.values.get('last4') or ''}"
    return (
        f"line {row.line}: {row.path}: the stored credential {shown(name)} is not here; "
        "enter its value in admin, or in the file as `value`"
    )


def dangling(changes: list[Change], final: Rows) -> Iterator[str]:
    """Yield a note per new model alias whose target is not listed; a sync may still bring it."""
    for change in changes:
        target = change.fields.get("target")
        if change.wanted and isinstance(target, str) and not leads_somewhere(target, final):
            row = change.wanted
            yield f"line {row.line}: {row.path}: no model is called {shown(target)} yet"


def leads_somewhere(target: str, final: Rows) -> bool:
    bare = target.rpartition(":")[0] or target
    return any(
        (name,) in final[kind]
        for full in (target, bare)
        for name in (full, full.partition("/")[2])
        for kind in ("model", "alias")
    )

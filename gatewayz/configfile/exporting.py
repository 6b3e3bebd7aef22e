"""The database as a config file: sorted, complete for every row that it names, without secrets."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from gatewayz.configfile import rows
from gatewayz.configfile.scalars import NUMBER
from gatewayz.configfile.schema import (
    ALIAS,
    BLOCK,
    CREDENTIAL,
    MODEL,
    OFFER,
    PROVIDER_ALIAS,
    SECTIONS,
    Key,
    Kind,
)

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
SECRET_KEYS = ("value", "stored", "last4")
MAP = "tag:yaml.org,2002:map"
Children = dict[tuple[str, object], list[Mapping[str, Any]]]


class Dumper(DUMPER):  # type: ignore[misc]
    """Repeats values rather than refer to them; quotes text that reads as a number."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def quoted_when_number(dumper: Any, value: str) -> yaml.Node:
    style = "'" if NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


class Item(dict[str, Any]):
    """A row of a list: written on one line where it fits."""


class Entry(dict[str, Any]):
    """A row of a section, or a section: written with a line for each key."""


def in_style(flow: bool) -> Any:
    return lambda dumper, data: dumper.represent_mapping(MAP, data.items(), flow_style=flow)


Dumper.add_representer(str, quoted_when_number)
Dumper.add_representer(Item, in_style(True))
Dumper.add_representer(Entry, in_style(False))


def export() -> str:
    """Return the whole configuration in the format that `apply` reads."""
    text: str = yaml.dump(
        document(),
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=120,
    )
    return text


def document() -> dict[str, Any]:
    stored = {name: [item.values for item in found.values()] for name, found in rows.load().items()}
    stored |= by_hand(stored)
    sections = {
        name: section(kind, stored, children(kind, stored)) for name, kind in SECTIONS.items()
    }
    return {"version": 1, **sections}


def by_hand(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the models and offers of which an admin said something; a sync brings the others."""
    fresh = rows.defaults(OFFER)
    offers = [
        row
        for row in stored[OFFER.name]
        if not row["from_list"]
        or any(row[name] != value for name, value in fresh.items() if name != "upstream_id")
    ]
    needed = {row["model"] for row in offers}
    said = ("name", "description", "capabilities", "context_length", "hidden")
    models = [
        row
        for row in stored[MODEL.name]
        if not row["from_list"] or row["model_id"] in needed or any(row[name] for name in said)
    ]
    return {OFFER.name: offers, MODEL.name: models}


def children(kind: Kind, stored: Mapping[str, Any]) -> Children:
    """Return the rows of the kind's lists by kind and owner; lists without order are sorted."""
    found: Children = {}
    for child in kind.lists.values():
        items = stored[child.name]
        if child.identity[-1] not in ("slot", "step"):
            items = sorted(items, key=lambda values: values[child.identity[-1]])
        for values in items:
            found.setdefault((child.name, values[child.parent]), []).append(values)
    return found


def section(kind: Kind, stored: Mapping[str, Any], lists: Children) -> Any:
    order = [(tuple(row[name] or "" for name in kind.identity), row) for row in stored[kind.name]]
    sorted_rows = [row for _, row in sorted(order, key=lambda pair: pair[0])]
    if kind is BLOCK:
        return [Item(mapping(kind.keys, row, {})) for row in sorted_rows]
    if kind is ALIAS:
        return Entry({row["alias"]: row["target"] for row in sorted_rows})
    return Entry({row[kind.identity[0]]: entry(kind, row, lists) for row in sorted_rows})


def entry(kind: Kind, row: Mapping[str, Any], lists: Children) -> dict[str, Any]:
    result = Entry(mapping(kind.keys, row, {}))
    for name, child in kind.lists.items():
        items = lists.get((child.name, row[kind.identity[0]]), [])
        result[name] = [item(child, values) for values in items]
    return result


def item(kind: Kind, values: Mapping[str, Any]) -> Any:
    """Write a row of a list: what is as by default is left out, since a list says everything."""
    if kind is PROVIDER_ALIAS:
        return values["alias"]
    if kind is CREDENTIAL:
        return credential(kind, values)
    return Item(mapping(kind.keys, values, rows.defaults(kind)))


def credential(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write what finds the credential again; its value stays where it is."""
    keys = [key for key in kind.keys if key.field not in SECRET_KEYS]
    rest = mapping(keys, values, rows.defaults(kind))
    if values["env"]:
        return Item(rest)
    last4 = {"last4": values["last4"]} if values["last4"] else {}
    return Item({"stored": True, **last4, **rest})


def mapping(
    keys: Iterable[Key], row: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in keys:
        value = row[key.field]
        if key.field in defaults and value == defaults[key.field]:
            continue
        if key.member:
            if key.member not in value:
                continue
            value = value[key.member]
        group, _, name = key.path.rpartition(".")
        (result.setdefault(group, {}) if group else result)[name] = key.write(value)
    return result

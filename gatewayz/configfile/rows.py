"""The database's side: which model keeps which kind, and its rows as plain values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model as DjangoModel

from billing.limits.models import LimitRule
from billing.models import Plan
from catalog.listed import LISTING
from catalog.models import BlockRule, Model, ModelAlias, Offer, Variant
from gatewayz.configfile import schema
from gatewayz.configfile.schema import Kind
from providers.models import Credential, Provider, ProviderAlias, RewriteRule
from providers.names import fold

TABLES: dict[str, type[DjangoModel]] = {
    "provider": Provider,
    "provider alias": ProviderAlias,
    "credential": Credential,
    "rewrite": RewriteRule,
    "model": Model,
    "offer": Offer,
    "alias": ModelAlias,
    "variant": Variant,
    "block": BlockRule,
    "plan": Plan,
    "limit": LimitRule,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the database and its values by field; other rows are named by slug or model id."""

    row: Any
    values: dict[str, Any]


State = dict[str, dict[tuple[object, ...], Stored]]


def load() -> State:
    """Return every configured row by kind and identity, in one query per kind."""
    owners = {
        "provider": {row.pk: row.slug for row in Provider.objects.only("slug")},
        "model": {row.pk: row.model_id for row in Model.objects.only("model_id")},
        "plan": {row.pk: row.name for row in Plan.objects.only("name")},
    }
    return {kind.name: dict(stored(kind, owners)) for kind in schema.KINDS}


def stored(
    kind: Kind, owners: dict[str, dict[int, str]]
) -> Iterator[tuple[tuple[object, ...], Stored]]:
    table = TABLES[kind.name]
    columns = {field.name for field in table._meta.concrete_fields}
    plain = sorted((columns & {*kind.identity, *kind.by_field}) - owners.keys())
    steps: dict[str, int] = {}
    for row in ordered(kind):
        values = {name: getattr(row, name) for name in plain}
        for name in owners.keys() & columns:
            owner = getattr(row, f"{name}_id")
            values[name] = owner and owners[name].get(owner)
        if "step" in kind.identity:
            values["step"] = steps.get(values[kind.parent], 0)
            steps[values[kind.parent]] = values["step"] + 1
        if kind is schema.CREDENTIAL:
            values["slot"] = row.pk
        if kind is schema.PROVIDER_ALIAS:
            values["alias"] = fold(row.alias)
        if kind in (schema.MODEL, schema.OFFER):
            values["from_list"] = row.source == LISTING
        yield tuple(values[name] for name in kind.identity), Stored(row, values)


def ordered(kind: Kind) -> Any:
    """Return the rows of a list in the order in which they count."""
    rows = TABLES[kind.name].objects
    if kind is schema.REWRITE:
        return rows.order_by("provider_id", "position", "id")
    if kind is schema.CREDENTIAL:
        return rows.order_by("provider_id", "priority", "id")
    if kind is schema.LIMIT:
        return rows.filter(plan__isnull=False).order_by("plan_id", "id")
    return rows.order_by()


def defaults(kind: Kind) -> dict[str, Any]:
    """Return what a new row has where the file says nothing."""
    columns = {field.name: field for field in TABLES[kind.name]._meta.concrete_fields}
    return {
        name: columns[name].get_default()
        for name in kind.by_field
        if name in columns and name not in kind.identity
    }

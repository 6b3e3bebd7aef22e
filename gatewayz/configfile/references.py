"""Names between rows: which provider a row means, and which names are taken. Pure."""

from collections.abc import Iterator, Mapping

from gatewayz.configfile.document import Document, Wanted
from gatewayz.configfile.problems import Problem, nearest, shown
from gatewayz.configfile.schema import BLOCK, MODEL, OFFER, PLAN, PROVIDER, PROVIDER_ALIAS
from providers.names import fold

Values = Mapping[tuple[object, ...], Mapping[str, object]]
REFERRING = (OFFER, BLOCK)
LISTS = ("allowed_providers", "denied_providers")  # of a plan


def provider_names(rows: list[Wanted], stored: Values, aliases: Values) -> dict[str, str]:
    """Return the slug behind every name of a provider, once the file is applied."""
    names = {str(values["alias"]): str(values["provider"]) for values in aliases.values()}
    for row in rows:
        if row.kind is PROVIDER_ALIAS and "alias" in row.values:
            names[fold(str(row.values["alias"]))] = str(row.values["provider"])
    slugs = [str(slug) for (slug,) in stored]
    slugs += [str(row.key[0]) for row in rows if row.kind is PROVIDER]
    return names | {fold(slug): slug for slug in slugs}


def resolve(document: Document, names: Mapping[str, str]) -> Iterator[Problem]:
    """Put slugs where the file names providers; tell of names that no provider has."""
    for row in document.rows:
        if row.kind is PROVIDER_ALIAS and "alias" in row.values:
            row.values["alias"] = fold(str(row.values["alias"]))
        if row.kind in REFERRING:
            yield from resolve_provider(row, names)
        if row.kind is PLAN:
            yield from resolve_lists(row, names)


def resolve_lists(row: Wanted, names: Mapping[str, str]) -> Iterator[Problem]:
    for field in LISTS:
        given = row.values.get(field)
        if not isinstance(given, list):
            continue
        unknown = [name for name in given if fold(str(name)) not in names]
        for name in unknown:
            row.broken.add(field)
            message = f"no provider is called {shown(name)}{nearest(str(name), names)}"
            yield row.problem(message, field)
        if not unknown:
            row.values[field] = list(dict.fromkeys(names[fold(str(name))] for name in given))


def resolve_provider(row: Wanted, names: Mapping[str, str]) -> Iterator[Problem]:
    name = row.values.get("provider")
    if name is None and row.kind is BLOCK and "provider" not in row.broken:
        row.values["provider"] = None
    elif name is None and "provider" not in row.broken:
        row.broken.add("provider")
        yield row.problem("missing", "provider")
    elif name is not None and fold(str(name)) in names:
        row.values["provider"] = names[fold(str(name))]
    elif name is not None:
        row.broken.add("provider")
        message = f"no provider is called {shown(name)}{nearest(str(name), names)}"
        yield row.problem(message, "provider")


def collisions(row: Wanted, final: Mapping[str, Values]) -> Iterator[Problem]:
    """Tell of names that `row` would share with another row. final: every row after the change."""
    if row.kind is PROVIDER:
        slug = str(row.key[0])
        alias = final["provider alias"].get((fold(slug),))
        if alias:
            yield row.problem(f"{slug} is an alias of {alias['provider']} already")
    elif row.kind is PROVIDER_ALIAS:
        if (row.key[0],) in final["provider"]:
            yield row.problem(f"{row.key[0]} is the slug of a provider")
    elif row.kind is MODEL:
        taken = final["alias"].get(row.key)
        if taken:
            yield row.problem(f"this is an alias of {shown(taken.get('target'))} already")
    elif row.kind.name == "alias" and row.key in final["model"]:
        yield row.problem("this is the id of a model")

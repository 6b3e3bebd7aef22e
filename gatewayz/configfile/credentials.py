"""Which stored credential each listed one is. Secrets are compared, never shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gatewayz.configfile.document import Wanted
from gatewayz.configfile.problems import Problem

FORMS = ("env", "value", "stored")


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored credential. opens: tells whether it is the given secret."""

    slot: object
    env: str
    label: str
    last4: str
    opens: Callable[[str], bool]


@dataclass(slots=True)
class Matching:
    """What one provider's list of credentials comes to. missing: stored ones that are not here."""

    problems: list[Problem] = field(default_factory=list)
    missing: list[Wanted] = field(default_factory=list)


def form_of(item: Wanted) -> str:
    """Return which of env, value and stored the item uses; nothing unless it is exactly one."""
    given = [form for form in FORMS if item.values.get(form) or form in item.broken]
    return given[0] if len(given) == 1 else ""


def match(items: Sequence[Wanted], kept: Sequence[Kept]) -> Matching:
    """Give each item the slot of the credential that it means, or a new one."""
    result, free = Matching(), list(kept)
    for item in items:
        if not form_of(item):
            message = "give exactly one of env, value and stored"
            result.problems.append(Problem(message, item.path, item.line))
    for test in TESTS:
        for item in items:
            found = next(
                (row for row in free if "slot" not in item.values and test(item, row)), None
            )
            if found is not None:
                free.remove(found)
                settle(item, found)
    for number, item in enumerate(items):
        if "slot" not in item.values:
            item.values["slot"] = f"new {number}"
            if form_of(item) == "stored":
                result.missing.append(item)
                continue
        for name in ("stored", "last4"):
            item.values.pop(name, None)
    return result


def settle(item: Wanted, row: Kept) -> None:
    """Take the stored row for `item`; what it keeps is not written again."""
    item.values["slot"] = row.slot
    if form_of(item) == "stored":
        item.values.setdefault("label", row.label)
        item.values["env"] = ""
    elif form_of(item) == "value" and row.opens(str(item.values["value"])):
        del item.values["value"]


def named_alike(item: Wanted, row: Kept) -> bool:
    return item.values.get("label", "") == row.label


def same_variable_and_label(item: Wanted, row: Kept) -> bool:
    return same_variable(item, row) and named_alike(item, row)


def same_variable(item: Wanted, row: Kept) -> bool:
    return bool(row.env) and item.values.get("env") == row.env


def same_reference(item: Wanted, row: Kept) -> bool:
    return (
        refers(item, row) and item.values.get("last4", "") == row.last4 and named_alike(item, row)
    )


def same_ending(item: Wanted, row: Kept) -> bool:
    """A label may have changed since the file was written."""
    return refers(item, row) and bool(row.last4) and item.values.get("last4") == row.last4


def same_name(item: Wanted, row: Kept) -> bool:
    """A value may have been replaced since the file was written."""
    return refers(item, row) and bool(row.label) and named_alike(item, row)


def unnamed(item: Wanted, row: Kept) -> bool:
    return refers(item, row) and "label" not in item.values and "last4" not in item.values


def refers(item: Wanted, row: Kept) -> bool:
    return form_of(item) == "stored" and not row.env


def same_secret(item: Wanted, row: Kept) -> bool:
    return not row.env and "value" in item.values and row.opens(str(item.values["value"]))


def same_label(item: Wanted, row: Kept) -> bool:
    return not row.env and "value" in item.values and bool(row.label) and named_alike(item, row)


TESTS = (
    same_variable_and_label,
    same_variable,
    same_reference,
    same_ending,
    same_name,
    unnamed,
    same_secret,
    same_label,
)

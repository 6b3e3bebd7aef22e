"""A config file into the database: all of it as one revision, or nothing."""

from collections import Counter
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.models import Count

from billing.models import Account
from catalog import revisions
from catalog.models import State as RevisionState
from gatewayz.configfile import rows, schema
from gatewayz.configfile.document import Document, interpret
from gatewayz.configfile.planning import Change
from gatewayz.configfile.preparing import Plan, prepare
from gatewayz.configfile.problems import Invalid, Problem
from gatewayz.configfile.reading import read
from gatewayz.configfile.writing import Writer
from providers.configuration import acting_as, one_revision
from providers.encryption import Sealed, Undecryptable

WORDS = {"+": "added", "~": "changed", "-": "removed"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did, or would do. lines: one per difference, for people."""

    lines: list[str]
    notes: list[str]
    summary: str
    revision: int


def apply(data: bytes, name: str = "file", prune: bool = False, dry: bool = False) -> Outcome:
    """Bring the database to what `data` says; with `dry`, do everything but keep it.

    Raise Invalid, with every problem, and change nothing, if anything is wrong.
    """
    tree, problems = read(data)
    document = interpret(tree)
    document.problems[:0] = problems
    try:
        with transaction.atomic():
            return carry_out(document, name, prune, dry)
    except DatabaseError as error:
        first = str(error).strip().partition("\n")[0]
        raise Invalid([Problem(f"the database refused: {first}")]) from error


def carry_out(document: Document, name: str, prune: bool, dry: bool) -> Outcome:
    RevisionState.objects.select_for_update().filter(pk=1).first()
    state = rows.load()
    plan = prepared(document, state, prune)
    problems = plan.problems + list(plans_in_use(plan.changes, document))
    summary = f"applied {name}: {counted(plan.changes)}"
    if plan.changes:
        with acting_as("apply"), one_revision(summary):
            refused = {problem.path for problem in problems}
            problems += Writer(state).write(kept_plans(plan.changes, refused), refused)
            if problems:
                raise Invalid(problems)
    if problems:
        raise Invalid(problems)
    lines = [line for change in plan.changes for line in change.lines()]
    outcome = Outcome(lines, plan.notes, counted(plan.changes), revisions.current())
    if dry:
        transaction.set_rollback(True)
    return outcome


def prepared(document: Document, state: rows.State, prune: bool) -> Plan:
    """Plan over values alone; only credentials are asked about what they hold."""

    def opens(identity: tuple[object, ...], secret: str) -> bool:
        value = state["credential"][identity].row.value
        try:
            return isinstance(value, Sealed) and value.open() == secret
        except Undecryptable:
            return False

    stored = {
        name: {identity: item.values for identity, item in found.items()}
        for name, found in state.items()
    }
    listed = {kind.name: rows.defaults(kind) for kind in schema.KINDS if kind.listed}
    for field in ("value", "last4"):
        listed["credential"].pop(field)
    return prepare(document, stored, listed, opens, prune)


def plans_in_use(changes: list[Change], document: Document) -> list[Problem]:
    """Tell which plans cannot be removed, because accounts have them."""
    names = [c.identity[0] for c in changes if c.kind is schema.PLAN and c.sign == "-"]
    if not names:
        return []
    used = Account.objects.filter(plan__name__in=names).values_list("plan__name")
    return [
        Problem(
            f"cannot be removed: {count} account{'s' if count > 1 else ''} on this plan",
            f"plans.{plan}",
            document.sections["plans"],
        )
        for plan, count in used.annotate(Count("pk")).order_by("plan__name")
    ]


def kept_plans(changes: list[Change], refused: set[str]) -> list[Change]:
    """Leave out the removals that were refused, so that the rest can be checked."""
    return [
        change
        for change in changes
        if change.sign != "-" or f"plans.{change.identity[0]}" not in refused
    ]


def counted(changes: list[Change]) -> str:
    """Return `2 added, 1 changed`."""
    counts = Counter(change.sign for change in changes)
    return ", ".join(f"{counts[sign]} {word}" for sign, word in WORDS.items() if counts[sign])

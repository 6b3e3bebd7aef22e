"""manage.py apply FILE [--plan] [--prune]"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gatewayz.configfile.applying import Outcome, apply
from gatewayz.configfile.problems import Invalid
from gatewayz.configfile.reading import MAX_BYTES


class Command(BaseCommand):
    help = "Put a config file into the database: all of it in one transaction, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="YAML or JSON; - reads standard input")
        parser.add_argument(
            "--plan", action="store_true", help="print the difference and change nothing"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="also remove rows that the file's sections do not name",
        )

    def handle(self, *, file: str, plan: bool, prune: bool, **options: Any) -> None:
        name = "standard input" if file == "-" else Path(file).name
        try:
            outcome = apply(contents(file), name, prune=prune, dry=plan)
        except Invalid as problem:
            count = len(problem.problems)
            problems = "1 problem" if count == 1 else f"{count} problems"
            raise CommandError(f"{name}: {problems}, nothing was changed\n{problem}") from None
        self.report(outcome, plan)

    def report(self, outcome: Outcome, plan: bool) -> None:
        for note in outcome.notes:
            self.stderr.write(f"note: {note}", self.style.WARNING)
        for line in outcome.lines:
            self.stdout.write(line)
        if not outcome.lines:
            self.stdout.write("nothing to change")
        elif plan:
            self.stdout.write(f"plan: {outcome.summary}; nothing was changed")
        else:
            self.stdout.write(f"{outcome.summary}; revision {outcome.revision}")


def contents(file: str) -> bytes:
    """Read the file, or one byte more than is allowed of it."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(file).open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise CommandError(f"{file} cannot be read: {reason}") from None

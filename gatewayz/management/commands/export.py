"""manage.py export [FILE]"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from gatewayz.configfile.exporting import export


class Command(BaseCommand):
    help = (
        "Write the configuration as a config file; credentials as references, never their values."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", nargs="?", help="default: standard output")

    def handle(self, *, file: str | None, **options: Any) -> None:
        try:
            text = export()
            if file:
                Path(file).write_text(text, encoding="utf-8")
            else:
                self.stdout.write(text, ending="")
        except OSError as problem:
            raise CommandError(f"{file} cannot be written: {problem.strerror}") from None
        except DatabaseError as problem:
            raise CommandError(f"the database cannot be read: {problem}") from None

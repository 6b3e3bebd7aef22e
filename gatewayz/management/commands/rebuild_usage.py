"""Make the hourly sums of usage again."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.rollups.rebuilding import rebuild
from billing.rollups.summing import roll_up


class Command(BaseCommand):
    help = "Make the hourly sums of usage again from the usage rows that are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="2026-03-31 or 2026-03-31T12:00, in UTC; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        since = moment(options["since"]) if options["since"] else None
        made = sum(rows for _, rows in rebuild(since))
        added = roll_up()
        self.stdout.write(f"{made} hourly rows made again, {added} usage rows added.")


def moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.get_current_timezone())
    except ValueError as problem:
        raise CommandError(f"{text} is no date: write 2026-03-31.") from problem

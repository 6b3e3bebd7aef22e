"""manage.py gateway_counts [--json]"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.syncs.counting import gateways

ROW = "{:<24} {:>9} {:>9} {:>11}  {}"


class Command(BaseCommand):
    help = "Count each gateway's models. Exit 1 if one that should have models has none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        rows = gateways()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(row) for row in rows], indent=2))
        else:
            self.stdout.write(ROW.format("Gateway", "Total", "Unique", "Duplicates", "Status"))
            for row in rows:
                numbers = (f"{row.total:,}", f"{row.unique:,}", f"{row.duplicates:,}")
                self.stdout.write(ROW.format(row.gateway, *numbers, row.status))
            totals = (sum(getattr(r, n) for r in rows) for n in ("total", "unique", "duplicates"))
            self.stdout.write(ROW.format("all", *(f"{n:,}" for n in totals), "").rstrip())
        lacking = [row.gateway for row in rows if row.lacking]
        if lacking:
            raise CommandError(f"without models: {', '.join(lacking)}")

"""manage.py sync_catalog [PROVIDER …] [--force]"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.syncs.claims import Overlap
from catalog.syncs.models import SyncRun
from catalog.syncs.reading import Reading, Report
from catalog.syncs.running import sync
from catalog.syncs.sources import fetchable
from providers.models import Provider
from providers.names import fold

ROW = "{:<20} {:<12} {:>7} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6}  {}"
HEAD = ("Provider", "State", "Rows", "Unique", "Dupl.", "Added", "Chg.", "Miss.", "Retir.", "")
BAD = ("failed", "quarantined", "cancelled")


class Command(BaseCommand):
    help = "Read what providers list, and bring the catalogue up to it. Exit 1 if one failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("providers", nargs="*", metavar="PROVIDER", help="default: all")
        parser.add_argument(
            "--force", action="store_true", help="read also what is said to be unchanged"
        )

    def handle(self, *, providers: list[str], force: bool, **options: Any) -> None:
        rows, bad = [], 0
        for provider in chosen(providers):
            try:
                run = sync(provider, self.teller(provider), force)
            except Overlap as problem:
                rows.append(ROW.format(provider.slug, "running", *[""] * 7, problem))
                bad += 1
                continue
            rows.append(row_of(provider, run))
            bad += run.state in BAD
        self.stdout.write(ROW.format(*HEAD).rstrip())
        for row in rows:
            self.stdout.write(row.rstrip())
        if bad:
            raise CommandError(f"{bad} of {len(rows)} syncs did not succeed")

    def teller(self, provider: Provider) -> Any:
        def tell(report: Report, reading: Reading) -> None:
            count = reading.counts
            self.stdout.write(
                f"{provider.slug}: page {count['pages']}, {count['rows']:,} rows, "
                f"{count['unique']:,} models"
            )
            self.stdout.flush()

        return tell


def row_of(provider: Provider, run: SyncRun) -> str:
    numbers = (run.rows, run.unique, run.duplicates, run.added, run.changed, run.removed)
    said = "; ".join(part for part in (run.message, refused(run)) if part)
    return ROW.format(provider.slug, run.state, *numbers, run.retired, said)


def refused(run: SyncRun) -> str:
    if not run.refused_count:
        return ""
    first = run.refused[0]
    return f"{run.refused_count} values refused, first {first['id'] or '-'}: {first['reason']}"


def chosen(names: list[str]) -> list[Provider]:
    """Return the named providers, or all whose lists can be fetched. Raises CommandError."""
    providers = Provider.objects.prefetch_related("credentials", "aliases").order_by("slug")
    if not names:
        return [provider for provider in providers if fetchable(provider)]
    by_name = {fold(alias.alias): row for row in providers for alias in row.aliases.all()}
    by_name |= {row.slug: row for row in providers}
    unknown = [name for name in names if fold(name) not in by_name]
    if unknown:
        valid = ", ".join(row.slug for row in providers)
        raise CommandError(f"no provider is called {unknown[0]}; there are {valid}")
    return list({by_name[fold(name)].pk: by_name[fold(name)] for name in names}.values())

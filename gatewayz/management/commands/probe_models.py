"""Probes offers now, and says what each probe proves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Offer
from providers.models import Provider, ProviderAlias
from providers.names import fold


class Command(BaseCommand):
    help = "Probe offers with one token each, and record the evidence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", nargs="?", help="Any of its names; default: all.")
        parser.add_argument("--model", help="A model's id, or the provider's own.")

    def handle(self, *args: Any, **options: Any) -> None:
        from catalog.evidence.rounds import by_hand, scheduled

        named = options["provider"] or options["model"]
        rounds = by_hand(chosen(options), self.stdout.write) if named else scheduled()
        count = 0
        for it, finding in rounds:
            said = finding.detail if finding.outcome != "ok" else f"{finding.latency_ms} ms"
            self.stdout.write(f"{it}: {finding.outcome.replace('_', ' ')}, {said}")
            count += 1
        self.stdout.write(f"{count} offers probed")


def chosen(options: dict[str, Any]) -> Any:
    """Return the offers that the arguments name; raises CommandError if there are none."""
    rows = Offer.objects.alive()
    if options["provider"]:
        rows = rows.filter(provider=provider(options["provider"]))
    if options["model"]:
        model = options["model"]
        rows = rows.filter(model__model_id=model) | rows.filter(upstream_id=model)
    if not rows.exists():
        raise CommandError("no offer matches: see the models and offers in the admin")
    return rows


def provider(name: str) -> Provider:
    folded = fold(name)
    alias = ProviderAlias.objects.filter(alias=folded).first()
    found = alias.provider if alias else Provider.objects.filter(slug=folded).first()
    if found is None:
        valid = ", ".join(Provider.objects.values_list("slug", flat=True).order_by("slug"))
        raise CommandError(f"no provider is called {name}; there are {valid}")
    return found

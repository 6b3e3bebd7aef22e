"""Shows where a request would go, and why, by the code that serves it."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.access.lookup import find_public
from billing.costs.explaining import by_plan
from billing.values import Key
from catalog.asks import ANY, EVERYTHING, Ask, Preferences
from catalog.explaining import explain
from catalog.loading import load


class Command(BaseCommand):
    help = "Explain every step from a model's name to the routes that would be tried."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("--provider", help="As the request's `provider`: any of its names.")
        parser.add_argument("--key-id", help="The public id of the key that asks.")
        parser.add_argument("--endpoint", default="chat", help="chat, embeddings, …")
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Preferences(only=(options["provider"],)) if options["provider"] else ANY
        key = key_of(options["key_id"]) if options["key_id"] else None
        may = key.permissions if key else EVERYTHING
        ask = Ask(options["model"], (), options["endpoint"], wanted, may)
        story = explain(load(), ask, time.time(), priced=by_plan(key.tariff if key else None))
        text = json.dumps(story, indent=2, ensure_ascii=False) if options["json"] else told(story)
        self.stdout.write(text)


def key_of(key_id: str) -> Key:
    key = find_public(key_id)
    if key is None:
        raise CommandError(f"no key has the id {key_id}")
    return key


def told(story: dict[str, Any]) -> str:
    lines = [f"{story['model']}, revision {story['revision']}", ""]
    lines += [f"  {s['rule']}: {s['subject']}: {s['outcome']}" for s in story["steps"]]
    lines += ["", "Routes, in order:"] if story["routes"] else ["", "No route."]
    for place, route in enumerate(story["routes"], 1):
        lines.append(
            f"  {place}. {route['upstream_id']} at {route['provider']}, "
            f"credential {route['credential']}"
        )
    if story["error"]:
        error = story["error"]
        lines.append(f"  A request gets {error['status']} {error['code']}: {error['message']}")
    return "\n".join(lines)

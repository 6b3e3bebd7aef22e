"""Shows where a request would go, and why, by the code that serves it."""

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.models import ApiKey
from catalog.asks import ANY, EVERYTHING, Ask, Permissions, Preferences
from catalog.loading import load
from catalog.resolver import resolve
from catalog.trace import Trace
from providers.errors import GatewayError


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
        permissions = permissions_of(options["key_id"]) if options["key_id"] else EVERYTHING
        ask = Ask(options["model"], (), options["endpoint"], wanted, permissions)
        story = explain(ask)
        text = json.dumps(story, indent=2, ensure_ascii=False) if options["json"] else told(story)
        self.stdout.write(text)


def permissions_of(key_id: str) -> Permissions:
    row = ApiKey.objects.filter(public_id=key_id).first()
    if row is None:
        raise CommandError(f"no key has the id {key_id}")
    return Permissions(tuple(row.allowed_models), frozenset(row.allowed_providers))


def explain(ask: Ask) -> dict[str, Any]:
    """Return the revision, every step, and the routes or the error that a request would get."""
    snapshot, trace = load(), Trace()
    story: dict[str, Any] = {"model": ask.model, "revision": snapshot.revision, "error": None}
    routes = []
    try:
        for route in resolve(snapshot, ask, trace, time.time()):
            routes.append(
                {
                    "provider": route.endpoint.slug,
                    "model": route.model_id,
                    "upstream_id": route.upstream_id,
                    "credential": route.secret.label,
                }
            )
    except GatewayError as problem:
        story["error"] = {
            "status": problem.status,
            "code": problem.code,
            "message": problem.message,
        }
    return {**story, "routes": routes, "steps": [asdict(step) for step in trace.steps]}


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

"""Rows that a new database begins with: each is added once, and then belongs to the admins."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from providers.configuration import one_revision
from providers.models import Credential, Provider, ProviderAlias, RewriteRule, SeedRecord

FILE = Path(__file__).with_name("seeds.json")
LISTS = ("aliases", "credentials", "rewrites")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seed:
    """One row. `natural` are the lookups that name it: `{"provider__slug": "groq", "env": …}`."""

    model: type[models.Model]
    natural: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        named = " ".join(f"{lookup}={value}" for lookup, value in self.natural.items())
        return f"{self.model._meta.label_lower} {named}"

    def owners(self) -> dict[str, "Seed"]:
        """Return the rows that this one hangs on, by the field that points there."""
        found = {}
        for path, value in self.natural.items():
            name, _, lookup = path.partition("__")
            if lookup:
                target = self.model._meta.get_field(name).related_model
                found[name] = Seed(target, {lookup: value})
        return found

    def rows(self) -> models.QuerySet:
        return self.model._default_manager.filter(**self.natural)

    def row(self) -> models.Model:
        """Build the row, unsaved. Raise DoesNotExist when what it hangs on is gone."""
        own = {name: value for name, value in self.natural.items() if "__" not in name}
        related = {name: owner.rows().get() for name, owner in self.owners().items()}
        return self.model(**own, **related, **self.values)


def read(path: Path = FILE) -> dict[str, dict[str, Any]]:
    """Return the seed file's providers, by slug."""
    entries: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return entries


def seeds(providers: Mapping[str, Mapping[str, Any]]) -> Iterator[Seed]:
    """Turn a seed file's providers into rows, each after those that it hangs on."""
    for slug, entry in providers.items():
        plain = {name: value for name, value in entry.items() if name not in LISTS}
        yield Seed(Provider, {"slug": slug}, plain)
        at = {"provider__slug": slug}
        for alias in entry.get("aliases", ()):
            yield Seed(ProviderAlias, {**at, "alias": alias})
        for place, env in enumerate(entry.get("credentials", ()), start=1):
            yield Seed(Credential, {**at, "env": env}, {"priority": 10 * place})
        for place, rule in enumerate(entry.get("rewrites", ()), start=1):
            named = {**at, "action": rule["action"], "value": rule["value"]}
            rest = {name: value for name, value in rule.items() if name not in named}
            yield Seed(RewriteRule, named, {"position": 10 * place, **rest})


def plant(wanted: Iterable[Seed]) -> int:
    """Add the rows that were never seeded before, as one revision. Return how many were added."""
    planted = dict(SeedRecord.objects.values_list("key", "planted"))
    new = [seed for seed in wanted if seed.key not in planted]
    if not new:
        return 0
    before = sum(planted.values())
    with one_revision("seeded the rows of this release"):
        for seed in new:
            planted[seed.key] = added(seed, planted)
        SeedRecord.objects.bulk_create(
            SeedRecord(key=seed.key, planted=planted[seed.key]) for seed in new
        )
    return sum(planted.values()) - before


def added(seed: Seed, planted: Mapping[str, bool]) -> bool:
    """Add one row, unless an admin has it, removed its owner, made the owner, or took its name."""
    ours = all(planted.get(owner.key, True) for owner in seed.owners().values())
    if not ours or seed.rows().exists():
        return False
    try:
        row = seed.row()
        row.full_clean()
    except (models.ObjectDoesNotExist, ValidationError) as problem:
        log.info("not seeded: %s: %s", seed.key, problem)
        return False
    row.save()
    return True

"""Rows that decide how requests go. A change to one is announced inside its own transaction.

Whoever keeps revisions listens to `changed`: a row and its revision commit together or not.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.dispatch import Signal

changed = Signal()  # parts: set[str], summary: str, author: str
_author: ContextVar[str] = ContextVar("author", default="system")


@dataclass
class Group:
    """What changed inside one_revision; without words of its own it takes the first change's."""

    summary: str
    parts: set[str] = field(default_factory=set)


_group: ContextVar[Group | None] = ContextVar("group", default=None)


@contextmanager
def acting_as(author: str) -> Iterator[None]:
    """Changes made inside are `author`'s."""
    token = _author.set(author)
    try:
        yield
    finally:
        _author.reset(token)


@contextmanager
def one_revision(summary: str = "") -> Iterator[None]:
    """Every change made inside is one transaction and one revision."""
    group = Group(summary)
    with transaction.atomic():
        token = _group.set(group)
        try:
            yield
        finally:
            _group.reset(token)
        announce(group.parts, group.summary)


def announce(parts: Iterable[str], summary: str) -> None:
    """Tell of a change to `parts` of the configuration. Call it inside the change's transaction."""
    group = _group.get()
    if group is not None:
        group.parts.update(parts)
        group.summary = group.summary or summary
    elif parts:
        changed.send(None, parts=set(parts), summary=summary, author=_author.get())


class ConfigurationQuerySet(models.QuerySet):
    """Bulk writes announce their change too."""

    def parts(self) -> set[str]:
        return self.model.parts_of(self)

    def _announced(self, verb: str, write: Any, before: set[str]) -> Any:
        with transaction.atomic(using=self.db):
            result = write()
            announce(before | self.parts(), f"{verb} {self.model._meta.verbose_name_plural}")
        return result

    def update(self, **values: Any) -> int:
        before = self.parts()
        return self._announced(
            "changed", lambda: super(ConfigurationQuerySet, self).update(**values), before
        )

    def record(self, **values: Any) -> int:
        """Set columns that the system keeps for itself; nothing is announced."""
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        before = self.parts()
        return self._announced("deleted", super().delete, before)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        objs = list(objs)
        before = {part for row in objs for part in row.parts()}
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **options)
            announce(before, f"added {len(objs)} {self.model._meta.verbose_name_plural}")
        return made

    def bulk_update(self, objs: Iterable[Any], fields: Any, **options: Any) -> int:
        objs = list(objs)
        with one_revision(f"changed {len(objs)} {self.model._meta.verbose_name_plural}"):
            return super().bulk_update(objs, fields, **options)


class ConfigurationRow(models.Model):
    """Base of every row that the data plane serves from.

    part: the piece of the snapshot that the row belongs to, and the lookup of its name in it.
    """

    part: tuple[str, str | None]

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def parts_of(cls, rows: models.QuerySet) -> set[str]:
        kind, lookup = cls.part
        if lookup is None:
            return {kind}
        names = models.QuerySet.distinct(rows.order_by()).values_list(lookup, flat=True)
        return {f"{kind}:{name}" for name in names}

    def parts(self) -> set[str]:
        kind, lookup = self.part
        if lookup is None:
            return {kind}
        value: Any = self
        for step in lookup.split("__"):
            value = getattr(value, step)
        return {f"{kind}:{value}"}

    def save(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            adding = self._state.adding
            before = set() if adding else type(self).objects.filter(pk=self.pk).parts()
            super().save(*args, **options)
            verb = "added" if adding else "changed"
            announce(before | self.parts(), f"{verb} {self._meta.verbose_name} {self}")

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            parts, summary = self.parts(), f"deleted {self._meta.verbose_name} {self}"
            result = super().delete(*args, **options)
            announce(parts, summary)
        return result

"""Finds a key in the database."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import Error, close_old_connections
from django.db.models import Q

from billing.limits.reading import with_limits
from billing.models import ApiKey
from billing.values import Key
from catalog import revisions
from providers.errors import NoProviderAvailable

Result = TypeVar("Result")
log = logging.getLogger(__name__)


def find_key(digests: tuple[str, ...]) -> tuple[Key | None, int]:
    """Return the key with one of `digests`, and a revision that it is not older than.

    Raises NoProviderAvailable while the database does not answer: the key may well be good. The
    connection is given back, so that one that broke is not met again.
    """
    try:
        revision = revisions.current()
        has = Q(digest__in=digests) | Q(old_digest__in=digests)
        row = ApiKey.objects.select_related("account__plan").filter(has).first()
        key = with_limits(row, row.value_of(digests)) if row is not None else None
    except Error as problem:
        log.warning("a key could not be looked up: %s", problem)
        raise NoProviderAvailable("Keys cannot be checked now.", retry_after_s=2) from problem
    finally:
        close_old_connections()
    return key, revision


def answered(work: Callable[..., Result], *args: Any) -> Result:
    """Return what `work` returns, outside Django's requests; raises NoProviderAvailable."""
    try:
        return work(*args)
    except Error as problem:
        log.warning("a question was not answered: %s", problem)
        raise NoProviderAvailable("This cannot be looked up now.", retry_after_s=2) from problem
    finally:
        close_old_connections()


def find_public(public_id: str) -> Key | None:
    """Return the key with this public id, as `gwz_live_<id>_…` shows it."""
    row = ApiKey.objects.select_related("account__plan").filter(public_id=public_id).first()
    return row.value_of() if row is not None else None

"""Finds a key in the database."""

from billing.models import ApiKey
from billing.values import Key
from catalog import revisions


def find_key(digests: tuple[str, ...]) -> tuple[Key | None, int]:
    """Return the key with one of `digests`, and a revision that it is not older than."""
    revision = revisions.current()
    row = ApiKey.objects.select_related("account__plan").filter(digest__in=digests).first()
    return (row.value_of() if row is not None else None), revision

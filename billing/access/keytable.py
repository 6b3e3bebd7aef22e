"""The keys that a process has seen lately, by digest; the database is asked once for each."""

import logging
from collections.abc import Callable

from billing.values import Key

MOST_KEYS = 100_000
MOST_UNKNOWN = 10_000
KINDS = ("key:", "account:", "plan:")
log = logging.getLogger(__name__)

Find = Callable[[tuple[str, ...]], tuple["Key | None", int]]


class KeyTable:
    """`find` gives the key of any of some digests, with the revision that it was read at or after.

    A key that was read before a change to it is never kept: `forget` remembers the revision.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._keys: dict[str, Key] = {}
        self._unknown: dict[str, None] = {}
        self._revision = 0

    def seen(self, digests: tuple[str, ...]) -> tuple[bool, Key | None]:
        """Return whether the answer is known, and the key if there is one."""
        for digest in digests:
            key = self._keys.get(digest)
            if key is not None:
                return True, key
        return digests[0] in self._unknown, None

    def read(self, digests: tuple[str, ...]) -> Key | None:
        """Ask the database; for a thread other than the event loop's."""
        while True:
            key, revision = self._find(digests)
            self._keep(digests, key)
            if revision >= self._revision:
                return key
            for digest in digests:
                self._keys.pop(digest, None)

    def _keep(self, digests: tuple[str, ...], key: Key | None) -> None:
        if key is None:
            remember(self._unknown, digests[0], None, MOST_UNKNOWN)
            return
        for digest in digests:
            remember(self._keys, digest, key, MOST_KEYS)

    def forget(self, revision: int, parts: set[str] | None) -> None:
        """Drop what `parts` changed, all of it for None, before `revision` is served from."""
        touched = None if parts is None else {part for part in parts if part.startswith(KINDS)}
        self._revision = revision if touched is None else max(self._revision, revision)
        if touched is None:
            self._keys.clear()
        elif touched:
            for digest, key in list(self._keys.items()):
                if not touched.isdisjoint(names(key)):
                    self._keys.pop(digest, None)
        if touched is None or touched:
            self._unknown.clear()


def names(key: Key) -> tuple[str, str, str]:
    """Return the parts of the configuration that `key` was made of."""
    return f"key:{key.public_id}", f"account:{key.account_id}", f"plan:{key.plan_id}"


def remember(table: dict, digest: str, value: object, most: int) -> None:
    """Add to a table of at most `most`, in place of its oldest."""
    if len(table) >= most:
        table.pop(next(iter(table)), None)
    table[digest] = value

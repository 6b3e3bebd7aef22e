"""Keeps the lists that are asked for, of the newest configuration, in bounded memory."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from catalog.asks import EVERYTHING, Permissions
from catalog.listing import View
from catalog.sheets import Sheet, sheet_of
from catalog.values import Snapshot

MOST = 64
MOST_BYTES = 128 * 1024 * 1024
RENEWED = 8
Key = tuple[str | None, Permissions]
WHOLE: Key = (None, EVERYTHING)


@dataclass(slots=True)
class Held:
    """A sheet and what it was made of. asked: since the configuration changed last."""

    sheet: Sheet
    parts: tuple[Mapping[str, object] | tuple[object, ...], ...]
    asked: bool = True

    def good(self, snapshot: Snapshot, now: float) -> bool:
        same = all(one is other for one, other in zip(self.parts, parts_of(snapshot), strict=True))
        return same and now < self.sheet.expires_at


class Shelf:
    """`ready` is for the event loop, `made` and `renew` for threads: they may take long."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: OrderedDict[Key, Held] = OrderedDict()
        self._lock = threading.Lock()

    def ready(self, view: View) -> Sheet | None:
        """Return the sheet if there is one that is still true."""
        key = view.slug, view.permissions
        held = self._held.get(key)
        if held is None or not held.good(view.snapshot, view.now):
            return None
        held.asked = True
        with suppress(KeyError):  # another thread has just let it go
            self._held.move_to_end(key)
        return held.sheet

    def made(self, view: View) -> Sheet:
        """Return the sheet, made now unless another thread has just done so."""
        with self._lock:
            return self._ready_or_made(view)

    def renew(self, snapshot: Snapshot, now: float) -> None:
        """Make the list of everything, and anew what was asked for lately; let go the others."""
        with self._lock:
            stale = [key for key, held in self._held.items() if not held.good(snapshot, now)]
            lately = [key for key in stale if self._held[key].asked and key != WHOLE]
            again = [WHOLE, *lately[-RENEWED:]]
            for slug, permissions in again:
                packed = self._is_packed(slug, permissions)
                view = View(snapshot, permissions, slug, now)
                sheet = self._ready_or_made(view)
                if packed:
                    sheet.compressed()
                if (slug, permissions) in self._held:
                    self._held[slug, permissions].asked = False
            for key in stale:
                if key not in again:
                    self._held.pop(key, None)

    def _is_packed(self, slug: str | None, permissions: Permissions) -> bool:
        """Whether somebody wanted it gzipped; of the list of everything, somebody will."""
        held = self._held.get((slug, permissions))
        asked = held is not None and held.sheet.gzipped is not None
        return asked or (slug, permissions) == WHOLE

    def _ready_or_made(self, view: View) -> Sheet:
        found = self.ready(view)  # an empty sheet is false
        return found if found is not None else self._make(view)

    def _make(self, view: View) -> Sheet:
        key = view.slug, view.permissions
        older = [self._held[one].sheet for one in dict.fromkeys((key, WHOLE)) if one in self._held]
        sheet = sheet_of(view, older)
        self._held[key] = Held(sheet, parts_of(view.snapshot))
        self._held.move_to_end(key)
        self._shrink()
        return sheet

    def _shrink(self) -> None:
        """Let the longest unasked go until the bounds are kept; the newest stays."""
        total = sum(held.sheet.size for held in self._held.values())
        while len(self._held) > 1 and (len(self._held) > self._most or total > self._most_bytes):
            _, held = self._held.popitem(last=False)
            total -= held.sheet.size


def parts_of(
    snapshot: Snapshot,
) -> tuple[Mapping[str, object] | tuple[object, ...], ...]:
    """Return what lists depend on."""
    return snapshot.endpoints, snapshot.models, snapshot.offers, snapshot.blocks

"""What a client asks for, before anything is decided."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may use. Patterns are over model ids; a denial holds in any case of letters.

    Empty: everything. A denial wins over a permission. plan: what holds besides, for all keys of
    the plan. test: only providers that are built in, which cost nothing.
    """

    models: tuple[str, ...] = ()
    providers: frozenset[str] = frozenset()
    denied_models: tuple[str, ...] = ()
    denied_providers: frozenset[str] = frozenset()
    plan: "Permissions | None" = None
    test: bool = False

    def provider(self, slug: str) -> bool:
        """Whether anything may be asked of the provider."""
        if slug in self.denied_providers or (self.providers and slug not in self.providers):
            return False
        return self.plan is None or self.plan.provider(slug)

    def model(self, model_id: str, *other_ids: str) -> bool:
        """Whether the model may be asked for; a denial counts for any other id of it, too."""
        ids = (model_id, *other_ids)
        if any(loosely(pattern).match(one) for pattern in self.denied_models for one in ids):
            return False
        if self.models and not any(fnmatchcase(model_id, pattern) for pattern in self.models):
            return False
        return self.plan is None or self.plan.model(model_id, *other_ids)


@lru_cache(4096)
def loosely(pattern: str) -> re.Pattern[str]:
    """Return what matches ids as fnmatch does, in any case of letters."""
    return re.compile(translate(pattern), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which providers the client wants, by any of their names, as OpenRouter's `provider` object.

    max_price: pico-USD per token, by "prompt" and "completion".
    """

    only: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    sort: str = ""
    max_price: tuple[tuple[str, int], ...] = ()


ANY = Preferences()
EVERYTHING = Permissions()


@dataclass(frozen=True, slots=True)
class Ask:
    """`model` first, then `models` as fallbacks, at an endpoint such as "chat"."""

    model: str
    models: tuple[str, ...] = ()
    endpoint: str = "chat"
    preferences: Preferences = ANY
    permissions: Permissions = EVERYTHING

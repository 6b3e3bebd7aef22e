"""What a client asks for, before anything is decided."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may use. Empty tuples: everything. Patterns are over model ids."""

    models: tuple[str, ...] = ()
    providers: frozenset[str] = frozenset()


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

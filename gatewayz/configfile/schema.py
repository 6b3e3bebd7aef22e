"""The file's keys and the fields that they fill: a key is a row here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from catalog.other_prices import NAMES
from gatewayz.configfile import prices, scalars
from gatewayz.configfile.reading import Node
from gatewayz.configfile.scalars import money, seconds, string_map, strings, text, truth, whole

SMALL = whole(32767)
WHOLE = whole()
LARGE = whole(2**53)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file. path: `timeouts.connect` is `connect` inside `timeouts`.

    member: the field is an object, of which this key is a part; null leaves the part out.
    """

    path: str
    field: str
    read: Callable[[Node], object]
    write: Callable[[object], object] = scalars.as_is
    nullable: bool = False
    member: str = ""


def other_price(name: str) -> Key:
    read = prices.tiers if name == "tiers" else prices.reader(name)
    return Key(f"price.{name}", "other_prices", read, nullable=True, member=name)


def same(name: str, read: Callable[[Node], object]) -> Key:
    return Key(name, name, read)


def bound(name: str, read: Callable[[Node], object] = WHOLE, group: str = "") -> Key:
    """Return the key of a limit, which may be empty: no limit."""
    return Key(f"{group}{name}", name, read, nullable=True)


@dataclass(frozen=True)
class Kind:
    """One kind of row.

    identity: fields that together name a row; parent: the field that names the row it belongs to.
    shorthand: the one field that a plain value in the file fills. listed: the file has it in a list
    that says everything, so a key left out means its default.
    """

    name: str
    identity: tuple[str, ...]
    keys: tuple[Key, ...]
    parent: str = ""
    shorthand: str = ""
    listed: bool = False
    lists: dict[str, "Kind"] = field(default_factory=dict)

    @cached_property
    def by_place(self) -> dict[tuple[str, str], Key]:
        """The keys by the mapping they stand in (empty: the row's own) and their name."""
        return {
            (key.path.rpartition(".")[0], key.path.rpartition(".")[2]): key for key in self.keys
        }

    @cached_property
    def groups(self) -> frozenset[str]:
        return frozenset(group for group, _ in self.by_place if group)

    @cached_property
    def by_field(self) -> dict[str, Key]:
        """The keys by field; one that stands for a whole object where several fill it."""
        whole = {
            key.field: Key(key.path.rpartition(".")[0], key.field, key.read)
            for key in self.keys
            if key.member
        }
        return {**{key.field: key for key in self.keys}, **whole}

    def known(self, group: str) -> list[str]:
        names = [name for place, name in self.by_place if place == group]
        return names if group else [*names, *self.groups, *self.lists]


PROVIDER_ALIAS = Kind(
    "provider alias", ("alias",), (same("alias", text),), "provider", shorthand="alias"
)
CREDENTIAL = Kind(
    "credential",
    ("provider", "slot"),
    (
        same("env", text),
        Key("value", "value", scalars.secret),
        same("stored", truth),
        same("label", text),
        same("last4", text),
        same("enabled", truth),
        same("priority", SMALL),
        bound("requests_per_minute", group="limits."),
        bound("tokens_per_minute", group="limits."),
        bound("concurrency", group="limits."),
    ),
    "provider",
    listed=True,
)
REWRITE = Kind(
    "rewrite",
    ("provider", "step"),
    (
        same("action", text),
        same("value", text),
        same("replacement", text),
        same("unless_suffixed", truth),
        same("when_backend", text),
        same("keep", strings),
        same("enabled", truth),
    ),
    "provider",
    listed=True,
)
PROVIDER = Kind(
    "provider",
    ("slug",),
    (
        same("name", text),
        same("adapter", text),
        same("base_url", text),
        same("site_url", text),
        same("enabled", truth),
        same("priority", SMALL),
        same("private_network", truth),
        same("auth_header", text),
        same("key_optional", truth),
        same("headers", string_map),
        Key("limits.concurrency", "concurrency", WHOLE, nullable=True),
        Key("timeouts.connect", "connect_timeout_s", seconds, scalars.short_number),
        Key("timeouts.first_byte", "first_byte_timeout_s", seconds, scalars.short_number),
        Key("timeouts.idle", "idle_timeout_s", seconds, scalars.short_number),
        Key("timeouts.total", "total_timeout_s", seconds, scalars.short_number),
        same("drop_params", strings),
        same("passes_suffixes", strings),
        same("stream_usage", truth),
        same("allow_unlisted", truth),
        same("resend_maybe_billed", truth),
        same("listing", scalars.listing),
        same("guards", scalars.guards),
    ),
    lists={"aliases": PROVIDER_ALIAS, "credentials": CREDENTIAL, "rewrites": REWRITE},
)
OFFER = Kind(
    "offer",
    ("model", "provider"),
    (
        same("provider", text),
        same("upstream_id", text),
        same("backends", strings),
        same("capabilities", strings),
        Key("price.input", "input_price", money, scalars.exact_text, nullable=True),
        Key("price.output", "output_price", money, scalars.exact_text, nullable=True),
        Key("price.cached_input", "cached_input_price", money, scalars.exact_text, nullable=True),
        *(other_price(name) for name in (*NAMES, "tiers")),
        Key("context_length", "context_length", WHOLE, nullable=True),
        same("enabled", truth),
    ),
    "model",
    listed=True,
)
MODEL = Kind(
    "model",
    ("model_id",),
    (
        same("name", text),
        same("description", text),
        same("capabilities", strings),
        Key("context_length", "context_length", WHOLE, nullable=True),
        same("hugging_face_id", text),
        same("hidden", truth),
    ),
    lists={"offers": OFFER},
)
ALIAS = Kind("alias", ("alias",), (same("target", text),), shorthand="target")
VARIANT = Kind("variant", ("name",), (same("order_by", text),))
BLOCK = Kind(
    "block",
    ("pattern", "provider"),
    (
        same("pattern", text),
        Key("provider", "provider", text, nullable=True),
        same("reason", text),
        same("evidence", text),
        same("author", text),
        Key("expires", "expires_at", scalars.moment, scalars.short_moment, nullable=True),
        same("enabled", truth),
    ),
)
LIMIT = Kind(
    "limit",
    ("plan", "step"),
    (
        same("amount", LARGE),
        same("unit", text),
        same("window", text),
        same("per", text),
        Key("models", "model_pattern", text),
    ),
    "plan",
    listed=True,
)
PLAN = Kind(
    "plan",
    ("name",),
    (
        Key("markup", "markup", scalars.factor, scalars.exact_text),
        bound("requests_per_minute"),
        bound("requests_per_hour"),
        bound("requests_per_day"),
        bound("tokens_per_minute"),
        bound("tokens_per_hour", LARGE),
        bound("tokens_per_day", LARGE),
        bound("concurrency"),
        same("unpriced", text),
        Key("default_input_price", "default_input_price", money, scalars.exact_text),
        Key("default_output_price", "default_output_price", money, scalars.exact_text),
        same("default_max_output_tokens", WHOLE),
        same("allowed_models", strings),
        same("denied_models", strings),
        same("allowed_providers", strings),
        same("denied_providers", strings),
    ),
    lists={"limits": LIMIT},
)
SECTIONS = {
    "providers": PROVIDER,
    "models": MODEL,
    "aliases": ALIAS,
    "variants": VARIANT,
    "blocks": BLOCK,
    "plans": PLAN,
}
KINDS = (
    PROVIDER,
    PROVIDER_ALIAS,
    CREDENTIAL,
    REWRITE,
    MODEL,
    OFFER,
    ALIAS,
    VARIANT,
    BLOCK,
    PLAN,
    LIMIT,
)

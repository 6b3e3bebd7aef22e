"""A shape of list: what stands where in it. Each part is a rule from a row to a value."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from providers.listings.capabilities import CapabilityRule, inputs, outputs
from providers.listings.fields import MOST_DESCRIPTION, Fields
from providers.listings.pagination import Style, Whole
from providers.listings.prices import PriceRule, Unit, unpriced
from providers.listings.tiers import TierRule, no_tiers

Text = Callable[[Fields], str]
Texts = Callable[[Fields], tuple[str, ...]]
Number = Callable[[Fields], int | None]
Flag = Callable[[Fields], bool]
Day = Callable[[Fields], date | None]


def text_at(*paths: str) -> Text:
    return lambda fields: fields.text(*paths)


def prose_at(path: str) -> Text:
    return lambda fields: fields.text(path, most=MOST_DESCRIPTION)


def texts_at(*paths: str) -> Texts:
    return lambda fields: fields.texts(*paths)


def tokens_at(*paths: str) -> Number:
    return lambda fields: fields.tokens(*paths)


def moment_at(*paths: str) -> Number:
    return lambda fields: fields.moment(*paths)


def day_at(*paths: str) -> Day:
    return lambda fields: fields.day(*paths)


def id_at(path: str, *, without: str = "") -> Text:
    """Read the id as it is written, less a prefix that is the list's and not the id's."""

    def rule(fields: Fields) -> str:
        value = fields.at(path)
        return value.removeprefix(without) if isinstance(value, str) else ""

    return rule


def flag_at(path: str) -> Flag:
    return lambda fields: fields.flag(path)


def unless(path: str, *states: object) -> Flag:
    """Be true except where the value at `path` is one of `states`."""

    def rule(fields: Fields) -> bool:
        value = fields.at(path)
        return not any(value is state or (value == state) for state in states)

    return rule


def no_number(_: Fields) -> int | None:
    return None


def no_texts(_: Fields) -> tuple[str, ...]:
    return ()


def no_text(_: Fields) -> str:
    return ""


def always(_: Fields) -> bool:
    return True


WHOLE = Whole()
ID = id_at("id")
NAME = text_at("name", "display_name")
DESCRIPTION = prose_at("description")
CREATED = moment_at("created")
DEPRECATED = flag_at("deprecated")
DEPRECATED_AT = day_at("deprecated_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one shape of list says where.

    rows: the envelope's key, None for a bare array.
    prices: the unit is part of the rule. prices_in: the same for lists whose unit differs from
    server to server; the entry must state it, or the prices stay unread.
    also_priced: where a price other than by the token may be; zeros beside one are not free.
    tiers: prices under conditions, kept only beside a price without.
    """

    rows: str | None = "data"
    null_is_empty: bool = False
    paging: Style = WHOLE
    id: Text = ID
    name: Text = NAME
    description: Text = DESCRIPTION
    capabilities: CapabilityRule
    tasks: Texts = no_texts
    context_length: Number = no_number
    max_output_tokens: Number = no_number
    inputs: Texts = inputs
    outputs: Texts = outputs
    created: Number = CREATED
    prices: PriceRule = unpriced
    prices_in: Callable[[Unit], PriceRule] | None = None
    also_priced: tuple[str, ...] = ()
    tiers: TierRule = no_tiers
    backends: Texts = no_texts
    aliases: Texts = no_texts
    deprecated: Flag = DEPRECATED
    deprecated_at: Day = DEPRECATED_AT
    replaced_by: Text = no_text
    hugging_face_id: Text = no_text
    canonical_slug: Text = no_text
    supported_parameters: Texts = no_texts
    active: Flag = always

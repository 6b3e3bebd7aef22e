"""Why an offer is not used for a request: the first of REASONS that answers stands."""

from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.asks import EVERYTHING, Ask, Preferences
from catalog.naming import Target, passes
from catalog.values import Block, Offer, Snapshot

NOT_ALLOWED = "the key may not use"
NO_CREDENTIAL = "no credential is set up"
DISABLED = "is switched off"


@dataclass(frozen=True, slots=True)
class Scene:
    """One request against one snapshot. wanted: its preferences, with slugs; now: Unix time.

    hits: the ids of the block rules that kept an offer out.
    """

    snapshot: Snapshot
    ask: Ask
    wanted: Preferences
    now: float
    hits: set[int] = field(default_factory=set)


def switched_off(scene: Scene, target: Target, offer: Offer) -> str:
    endpoint = scene.snapshot.endpoints.get(offer.slug)
    if endpoint is None or not endpoint.enabled:
        return f"the provider {offer.slug} {DISABLED}"
    return "" if offer.enabled else f"the offer {DISABLED}"


def not_wanted(scene: Scene, target: Target, offer: Offer) -> str:
    wanted = scene.wanted
    if target.pin and offer.slug != target.pin:
        return f"only {target.pin} was asked for"
    if wanted.only and offer.slug not in wanted.only:
        return f"only {', '.join(wanted.only)} was asked for"
    if wanted.order and not wanted.allow_fallbacks and offer.slug not in wanted.order:
        return f"only {', '.join(wanted.order)} was asked for, without fallbacks"
    return f"{offer.slug} is on the request's ignore list" if offer.slug in wanted.ignore else ""


def not_permitted(scene: Scene, target: Target, offer: Offer) -> str:
    may = scene.ask.permissions
    if may is EVERYTHING:
        return ""
    if not may.provider(offer.slug):
        return f"{NOT_ALLOWED} {offer.slug}"
    if not may.model(offer.model_id, *other_ids(target, offer)):
        return f"{NOT_ALLOWED} {offer.model_id}"
    endpoint = scene.snapshot.endpoints.get(offer.slug)
    if may.test and not (endpoint and endpoint.is_built_in):
        return f"{NOT_ALLOWED} {offer.slug}, being a test key"
    return ""


def other_ids(target: Target, offer: Offer) -> tuple[str, ...]:
    """Return by which ids a denial meets the offer, too.

    Of an id that the catalogue does not know, its end may be a suffix that the provider reads.
    """
    if target.unlisted:
        return offer.upstream_id, offer.upstream_id.rpartition(":")[0]
    return (offer.upstream_id,)


def blocked(scene: Scene, target: Target, offer: Offer) -> str:
    block = block_of(scene.snapshot, offer, scene.now)
    if block is None:
        return ""
    scene.hits.add(block.id)
    until = "" if block.is_current(scene.now) else " (expired, a probe will decide)"
    return f"blocked: {block.reason}{until}"


def block_of(snapshot: Snapshot, offer: Offer, now: float) -> Block | None:
    """Return the block rule in force that matches `offer`."""
    for block in snapshot.blocks:
        if block.in_force(now) and block.matches(offer):
            return block
    return None


def down(scene: Scene, target: Target, offer: Offer) -> str:
    return offer.down


def of_another_kind(scene: Scene, target: Target, offer: Offer) -> str:
    if target.unlisted:
        return ""
    can = offer.capabilities or scene.snapshot.models[offer.model_id].capabilities
    return "" if scene.ask.endpoint in can else f"it serves {', '.join(sorted(can))}, not this"


def suffix_unread(scene: Scene, target: Target, offer: Offer) -> str:
    if not target.suffix or passes(scene.snapshot, offer.slug, target.suffix):
        return ""
    return f"{offer.slug} reads no suffix {target.suffix}"


def too_dear(scene: Scene, target: Target, offer: Offer) -> str:
    prices = {"prompt": offer.price.input, "completion": offer.price.output}
    for side, limit in scene.wanted.max_price:
        price = prices[side]
        if price is None or price > limit:
            return f"its {side} price is {'not known' if price is None else 'above max_price'}"
    return ""


def without_credential(scene: Scene, target: Target, offer: Offer) -> str:
    usable = scene.snapshot.endpoints[offer.slug].secrets
    return "" if usable else f"{NO_CREDENTIAL} for {offer.slug}"


REASONS: tuple[Callable[[Scene, Target, Offer], str], ...] = (
    not_wanted,
    not_permitted,
    switched_off,
    blocked,
    down,
    of_another_kind,
    suffix_unread,
    too_dear,
    without_credential,
)


def reason(scene: Scene, target: Target, offer: Offer) -> str:
    """Say why `offer` cannot serve the request, or return the empty string."""
    for ask in REASONS:
        why = ask(scene, target, offer)
        if why:
            return why
    return ""

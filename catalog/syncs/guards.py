"""What a sync may change by itself; beyond that its changes wait for an admin. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from catalog.syncs.diffing import Difference, Known

DEFAULTS = {"min_models": 0, "max_drop_percent": 50, "max_price_factor": 10}
PRICES = ("listed_input_price", "listed_output_price", "listed_cached_input_price")
OTHERS = "listed_other_prices"
SHOWN = 5


def objections(
    guards: Mapping[str, float],
    known: Mapping[str, Known],
    listed: int,
    differences: Sequence[Difference],
) -> list[str]:
    """Say why the differences should not be applied; nothing when they may be.

    listed: how many models the provider lists now.
    """
    bounds = {**DEFAULTS, **guards}
    return [
        *too_few(bounds, listed, known),
        *too_many_gone(bounds["max_drop_percent"], known, differences),
        *dear_or_cheap(bounds["max_price_factor"], differences),
        *free_at_once(bounds["max_drop_percent"], known, differences),
    ]


def too_few(bounds: Mapping[str, float], listed: int, known: Mapping[str, Known]) -> Iterator[str]:
    if not listed and any(offer.counts for offer in known.values()):
        yield "the list is empty"
    elif listed < bounds["min_models"]:
        yield f"{listed:,} models are listed, fewer than min_models, {bounds['min_models']:,}"


def too_many_gone(
    most: float, known: Mapping[str, Known], differences: Sequence[Difference]
) -> Iterator[str]:
    had = sum(offer.counts for offer in known.values())
    gone = sum(change.kind in ("missing", "retired") for change in differences)
    if gone and gone * 100 >= most * had:
        share = 100 * gone / had
        yield f"{gone:,} of {had:,} models are gone, {share:.0f} %; max_drop_percent is {most:g}"


def dear_or_cheap(most: float, differences: Sequence[Difference]) -> Iterator[str]:
    jumps = [
        f"{change.upstream_id} from {was.normalize():f} to {now.normalize():f}"
        for change in differences
        for was, now in moves(change)
        if was and now and max(was, now) > Decimal(str(most)) * min(was, now)
    ]
    if jumps:
        more = f" and {len(jumps) - SHOWN:,} more" if len(jumps) > SHOWN else ""
        said = "; ".join(jumps[:SHOWN])
        yield f"prices move by more than max_price_factor, {most:g}: {said}{more}"


def free_at_once(
    most: float, known: Mapping[str, Known], differences: Sequence[Difference]
) -> Iterator[str]:
    """One model may become free; half a catalogue at once is a mistake of the list."""
    priced = sum(1 for offer in known.values() if offer.offer.listed_input_price)
    free = {d.upstream_id for d in differences if any(was and now == 0 for was, now in moves(d))}
    if len(free) > 1 and len(free) * 100 >= most * priced:
        yield f"{len(free):,} of {priced:,} priced models become free at once"


def moves(change: Difference) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield the prices that move, from and to, in USD per million tokens."""
    was, now = change.before.get("offer", {}), change.after.get("offer", {})
    if change.kind != "price":
        return
    pairs = [(was.get(column), now.get(column)) for column in PRICES]
    others_were, others_are = was.get(OTHERS) or {}, now.get(OTHERS) or {}
    pairs += [(others_were.get(name), price) for name, price in others_are.items()]
    for before, after in pairs:
        if isinstance(before, str) and isinstance(after, str):
            yield Decimal(before), Decimal(after)

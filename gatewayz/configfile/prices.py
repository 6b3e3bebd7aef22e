"""An offer's prices beyond input, output and cached input, as the file has them. Pure."""

from collections.abc import Callable

from catalog.other_prices import BadPrices, price, tier
from gatewayz.configfile.reading import Mapping, Node, Scalar, Sequence
from gatewayz.configfile.scalars import Wrong, is_null, refuse, whole

TOKENS = whole()


def reader(name: str) -> Callable[[Node], object]:
    """Return a reader of one price, with or without quotes, as text."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar):
            refuse("a price in USD, in quotes", node)
        try:
            return price(name, node.text, "")
        except BadPrices as problem:
            raise Wrong(problem.message) from problem

    return read


def tiers(node: Node) -> list[dict[str, object]]:
    if not isinstance(node, Sequence):
        refuse("a list of tiers, such as [{min_prompt_tokens: 200000, input: 6}]", node)
    return [one_tier(item, f"[{place}]") for place, item in enumerate(node.items)]


def one_tier(node: Node, tail: str) -> dict[str, object]:
    if not isinstance(node, Mapping):
        refuse("a tier such as {min_prompt_tokens: 200000, input: 6}", node, tail)
    given: dict[str, object] = {
        entry.key: value(entry.key, entry.value, f"{tail}.{entry.key}") for entry in node.entries
    }
    lines = {f".{entry.key}": entry.line for entry in node.entries}
    try:
        return tier(given, "")
    except BadPrices as problem:
        line = lines.get(problem.path, node.line)
        raise Wrong(problem.message, line, tail + problem.path) from problem


def value(key: str, node: Node, tail: str) -> object:
    if not isinstance(node, Scalar) or is_null(node):
        refuse("one value", node, tail)
    if key != "min_prompt_tokens":
        return node.text
    try:
        return TOKENS(node)
    except Wrong as problem:
        raise Wrong(problem.message, node.line, tail) from problem

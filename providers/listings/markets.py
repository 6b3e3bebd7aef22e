"""Lists of markets, whose rows and prices are built from parts: NEAR AI Cloud and AiMo."""

from decimal import Decimal

from providers.listings import capabilities as can
from providers.listings.fields import Fields, shown, whole
from providers.listings.prices import EXACT, PriceRule, Quote, Unit, number, quoted
from providers.listings.shape import Shape, id_at, prose_at, text_at, tokens_at

MOST_SCALE = 30


def near_prices(fields: Fields) -> Quote:
    found = {
        "input": scaled(fields, "inputCostPerToken"),
        "output": scaled(fields, "outputCostPerToken"),
    }
    return {name: price for name, price in found.items() if price is not None}


def scaled(fields: Fields, path: str) -> Decimal | None:
    """Read `{amount, scale, currency}`: USD per token are amount / 10**scale.

    The server's scale is 9. Clients exist that take it for a negative exponent; both are read.
    """
    value = fields.at(path)
    if not isinstance(value, dict) or value.get("amount") is None:
        return None
    try:
        scale = whole(value.get("scale"))
        if scale is None or abs(scale) > MOST_SCALE or value.get("currency", "USD") != "USD":
            raise ValueError("not in USD")
        amount = number(value["amount"])
        return None if amount == -1 else amount.scaleb(-abs(scale), EXACT)
    except (ValueError, ArithmeticError):
        fields.problems.append(f"{path}: {shown(value.get('amount'))} is no price in USD")
        return None


NEAR = Shape(
    rows="models",
    id=id_at("modelId"),
    name=text_at("metadata.displayName"),
    description=prose_at("metadata.description"),
    capabilities=can.by_id(can.TEXT),
    context_length=tokens_at("metadata.contextLength"),
    prices=near_prices,
)


def first_seller(fields: Fields) -> Fields:
    sellers = fields.at("providers")
    first = sellers[0] if isinstance(sellers, list) and sellers else None
    return fields.inside(first if isinstance(first, dict) else {})


def aimo_id(fields: Fields) -> str:
    """Name the first of the model's sellers: ids are `<its key>:<the model's name>`."""
    seller, name = first_seller(fields).at("id"), fields.at("name")
    return f"{seller}:{name}" if isinstance(seller, str) and isinstance(name, str) else ""


def aimo_prices(unit: Unit) -> PriceRule:
    quote = quoted(unit, input="pricing.prompt", output="pricing.completion")
    return lambda fields: quote(first_seller(fields))


AIMO = Shape(
    id=aimo_id,
    name=text_at("display_name"),
    capabilities=can.by_outputs(can.CHAT),
    context_length=tokens_at("context_length"),
    prices_in=aimo_prices,
)

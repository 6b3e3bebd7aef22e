"""Receipts: what one request was, where it went, and what it cost."""

from typing import Any

from billing.facts.amounts import number
from billing.facts.keyfacts import moment
from billing.models import UsageRow
from billing.rerating.models import RatedAnew
from catalog.pricing import usd
from providers.errors import NotFound
from providers.models import Provider
from providers.rates import BUCKETS

MISSING = (
    "No request of this account has that id. A receipt is there about a second after the answer, "
    "so try again if it was only just given."
)


def receipt(request_id: str, account_id: int) -> dict[str, Any]:
    """Return the receipt of the account's request; raises NotFound."""
    rows = UsageRow.objects.filter(account=account_id, request_id=request_id)
    row = rows.select_related("account__plan").first()
    if row is None:
        raise NotFound(MISSING, param="id")
    slugs = {row.provider, *(tried["provider"] for tried in row.attempts)}
    names = dict(Provider.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return {**request_facts(row, names), **token_facts(row), **cost_facts(row)}


def request_facts(row: UsageRow, names: dict[str, str]) -> dict[str, Any]:
    first_byte = row.first_byte_ms
    return {
        "id": row.request_id,
        "request_id": row.request_id,
        "created_at": moment(row.created_at),
        "model": row.model_id or row.asked_model,
        "asked_model": row.asked_model,
        "provider_name": names.get(row.provider, row.provider) or None,
        "provider_slug": row.provider or None,
        "upstream_model": row.upstream_id or None,
        "api_type": row.endpoint,
        "key": row.key_id,
        "streamed": row.stream,
        "cancelled": row.outcome == "cancelled",
        "outcome": row.outcome,
        "status": row.status,
        "error_code": row.error_code or None,
        "latency": row.duration_ms if first_byte is None else first_byte,
        "generation_time": row.duration_ms - first_byte if first_byte is not None else None,
        "duration": row.duration_ms,
        "provider_responses": [attempt_facts(tried, names) for tried in row.attempts],
    }


def attempt_facts(tried: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return an attempt without what is the operator's own: which credential, the raw words."""
    slug = tried["provider"]
    return {
        "provider_name": names.get(slug, slug),
        "provider_slug": slug,
        "upstream_model": tried["upstream_id"],
        "outcome": tried["outcome"],
        "status": tried["status"],
        "latency": tried["duration_ms"],
    }


def token_facts(row: UsageRow) -> dict[str, Any]:
    """Return the tokens, in OpenRouter's words and as buckets that do not overlap."""
    return {
        "tokens_prompt": row.prompt_tokens,
        "tokens_completion": row.completion_tokens,
        "native_tokens_prompt": row.prompt_tokens,
        "native_tokens_completion": row.completion_tokens,
        "native_tokens_reasoning": row.reasoning_tokens,
        "native_tokens_cached": row.cached_tokens,
        "native_tokens_completion_images": row.image_output_tokens,
        "usage_source": row.usage_source,
        "buckets": buckets_of(row),
    }


def buckets_of(row: UsageRow) -> dict[str, int]:
    """Return what was used, each token and piece once; requests where one has a price."""
    usage = row.usage
    if usage is None:
        return {}
    counted = zip(BUCKETS, usage.counts, strict=True)
    return {
        bucket: quantity
        for bucket, quantity in counted
        if quantity and (bucket != "request" or bucket in row.unit_prices)
    }


def cost_facts(row: UsageRow) -> dict[str, Any]:
    """Return what it cost and why: unit_prices in USD for one token or piece, before markup; and
    what it was made right to if that was wrong."""
    note = RatedAnew.objects.filter(request_id=row.request_id).first()
    return {
        "usage": number(row.cost_nano),
        "total_cost": number(row.cost_nano),
        "rerated_cost": number(note and note.rerated_nano),
        "is_byok": False,
        "unit_prices": {bucket: usd(pico) for bucket, pico in row.unit_prices.items()},
        "markup": None if row.markup is None else f"{row.markup.normalize():f}",
        "price_source": row.price_source or None,
        "rule_ids": {"price": row.price_id} if row.price_id else {},
        "transaction": row.transaction_id and str(row.transaction_id),
    }

"""Reads what a provider says was used, whatever it left out or got wrong.

A count that is negative, no whole number or above MOST_TOKENS makes no sense: of the prompt or the
answer it voids the whole report, elsewhere it counts for nothing. A part is cut to what is left of
its whole, in the order of the code: no token is in two buckets, and all sum to the whole.
"""

from typing import Any

import msgspec

from providers.values import Usage

MOST_TOKENS = 100_000_000
MOST_PIECES = 10_000
MOST_USD = 100_000
NANO_PER_USD = 10**9


class PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None  # OpenRouter
    cache_creation_tokens: int | None = None  # LiteLLM
    audio_tokens: int | None = None
    image_tokens: int | None = None


class AnswerDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class CacheCreation(msgspec.Struct):
    """Anthropic's parts of what was written to the cache."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class ServerTools(msgspec.Struct):
    web_search_requests: int | None = None


class Reported(msgspec.Struct):
    """OpenAI's usage with what others add: DeepSeek's cache hits, Moonshot's cached tokens,
    Anthropic's names, OpenRouter's cost and tools, Perplexity's searches."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: AnswerDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerTools | None = None
    num_search_queries: int | None = None
    cost: object = None


NESTED = frozenset(
    {
        "prompt_tokens_details",
        "completion_tokens_details",
        "cache_creation",
        "server_tool_use",
    }
)

_usage = msgspec.json.Decoder(Reported | None, strict=False).decode
_any = msgspec.json.Decoder(dict[str, Any] | None).decode


def usage_of(raw: msgspec.Raw | None) -> Usage | None:
    """Return the reported usage; None if there is none or it makes no sense."""
    if raw is None:
        return None
    try:
        said = _usage(raw)
    except (msgspec.DecodeError, RecursionError):
        said = lenient(raw)
    if said is None or (said.prompt_tokens is None and said.completion_tokens is None):
        return None
    prompt, completion = said.prompt_tokens or 0, said.completion_tokens or 0
    if not (0 <= prompt <= MOST_TOKENS and 0 <= completion <= MOST_TOKENS):
        return None
    return read(said, prompt, completion)


def read(said: Reported, prompt: int, completion: int) -> Usage:
    """Return the buckets; of what is reported under several names the first that counts."""
    cached = said.prompt_cache_hit_tokens or said.cached_tokens or said.cache_read_input_tokens or 0
    written = said.cache_creation_input_tokens or 0
    heard = seen = reasoning = spoken = drawn = 0
    into, out = said.prompt_tokens_details, said.completion_tokens_details
    if into is not None:
        cached = into.cached_tokens or cached
        written = into.cache_write_tokens or into.cache_creation_tokens or written
        heard, seen = into.audio_tokens or 0, into.image_tokens or 0
    if out is not None:
        reasoning = out.reasoning_tokens or 0
        spoken, drawn = out.audio_tokens or 0, out.image_tokens or 0
    beside = (said.total_tokens or 0) - prompt - completion
    if 0 < beside <= MOST_TOKENS:
        if into is None and beside == cached + written:
            prompt += beside  # Anthropic's counts, which leave the cache out of the prompt
        elif beside >= reasoning:
            completion += beside  # xAI's reasoning and Google's thoughts are in the total alone
            reasoning = beside
    told = said.cost is not None or said.server_tool_use is not None or said.num_search_queries
    if not (cached or written or heard or seen or reasoning or spoken or drawn or told):
        return Usage(prompt, completion)
    cached = cut(cached, prompt)
    written = cut(written, prompt - cached)
    hour = cut(hour_of(said), written) if written else 0
    heard = cut(heard, prompt - cached - written)
    seen = cut(seen, prompt - cached - written - heard)
    reasoning = cut(reasoning, completion)
    spoken = cut(spoken, completion - reasoning)
    drawn = cut(drawn, completion - reasoning - spoken)
    return Usage(
        prompt - cached - written - heard - seen,
        completion - reasoning - spoken - drawn,
        cached,
        written - hour,
        hour,
        reasoning,
        heard,
        spoken,
        seen,
        drawn,
        1,
        searches(said) if told else 0,
        0,
        "upstream",
        nano(said.cost) if told else None,
    )


def cut(count: int, most: int) -> int:
    if count > most:
        return most
    return count if count > 0 else 0


def hour_of(said: Reported) -> int:
    parts = said.cache_creation
    return (parts and parts.ephemeral_1h_input_tokens) or 0


def searches(said: Reported) -> int:
    tools = said.server_tool_use
    return cut((tools and tools.web_search_requests) or said.num_search_queries or 0, MOST_PIECES)


def nano(usd: object) -> int | None:
    """Return a reported cost in nano-USD; None for what is no plain number of dollars."""
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not 0 <= usd <= MOST_USD:
        return None
    return round(usd * NANO_PER_USD)


def lenient(raw: msgspec.Raw) -> Reported | None:
    """Read a report of which something is not as it should be, without that."""
    try:
        members = _any(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if members is None or any(
        members.get(name) is not None and whole(members[name]) is None
        for name in ("prompt_tokens", "completion_tokens")
    ):
        return None
    return msgspec.convert(sensible(members), Reported)


def sensible(members: dict[str, Any]) -> dict[str, Any]:
    """Keep whole numbers, and objects of them where objects belong."""
    kept: dict[str, Any] = {}
    for name, value in members.items():
        if name in NESTED:
            kept[name] = sensible(value) if isinstance(value, dict) else None
        elif name == "cost":
            kept[name] = value
        elif (number := whole(value)) is not None:
            kept[name] = number
    return kept


def whole(value: object) -> int | None:
    """Return a whole number, also of "12" and 12.0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None

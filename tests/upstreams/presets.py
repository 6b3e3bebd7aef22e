"""One function per provider: it gives an upstream that provider's manners, refusals and 401.

What a test then sets with `reply`, `script` or `models` is answered behind the same refusals.
"""

from collections.abc import Collection
from typing import Any

from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.errors import Status, error
from tests.upstreams.messages import Messages
from tests.upstreams.seen import Seen
from tests.upstreams.server import Upstream
from tests.upstreams.stream import OPENROUTER_COMMENT, Stream

HF_SUFFIXES = frozenset({"fastest", "cheapest", "preferred"})
HF_PROVIDERS = frozenset({"groq", "together", "novita", "cerebras", "fireworks-ai", "nebius"})
GROQ_REFUSES = ("logprobs", "logit_bias", "top_logprobs")
MISTRAL_TAKES = """
    model messages stream temperature top_p max_tokens stop random_seed response_format tools
    tool_choice parallel_tool_calls presence_penalty frequency_penalty n prediction safe_prompt
    prompt_mode
"""


def hugging_face(
    up: Upstream,
    hf_inference: Collection[str] = (),
    providers: Collection[str] = HF_PROVIDERS,
) -> None:
    """The router: `X:hf-inference` is served only for X in `hf_inference`, `X` by anyone."""

    def check(seen: Seen) -> Behaviour | None:
        model, colon, suffix = seen.model.partition(":")
        if suffix == "hf-inference":
            served = model in hf_inference
            return None if served else error("huggingface", 400, "provider_not_supported")
        if not colon or suffix in HF_SUFFIXES or suffix in providers:
            return None
        return error("huggingface", 400, "model_not_supported")

    up.unauthorized = error("huggingface", 401)
    up.checks = [check]


def openrouter(up: Upstream) -> None:
    """Comments before every event, the serving provider's name and the cost in the answer."""
    usage = tokens(9, 12) | {"cost": 0.00042, "is_byok": False}
    chat = Chat(usage=usage, extra={"provider": "DeepInfra"})
    up.unauthorized = error("openrouter", 401)
    up.reply(Stream(chat, comment=OPENROUTER_COMMENT))


def groq(up: Upstream) -> None:
    """400 on log probabilities, logit bias, names of messages and more than one choice."""

    def check(seen: Seen) -> Behaviour | None:
        refused = [name for name in GROQ_REFUSES if seen.fields.get(name)]
        refused += ["name"] if has_names(seen) else []
        refused += ["n"] if seen.fields.get("n", 1) != 1 else []
        if not refused:
            return None
        message = f"property '{refused[0]}' is unsupported"
        return Status(400, {"error": {"message": message, "type": "invalid_request_error"}})

    up.unauthorized = error("groq", 401)
    up.checks = [check]
    up.reply(Chat(reasoning_field="reasoning"))


def mistral(up: Upstream) -> None:
    """422 on fields it does not know, `stream_options` among them; usage comes unasked."""

    def check(seen: Seen) -> Behaviour | None:
        known = MISTRAL_TAKES.split()
        unknown: list[tuple[str, ...]] = [
            ("body", name) for name in seen.fields if name not in known
        ]
        unknown += [("body", "messages", "name")] if has_names(seen) else []
        return extra_forbidden(unknown) if unknown else None

    up.unauthorized = error("mistral", 401)
    up.checks = [check]
    up.reply(Chat(usage_when="always"))


def extra_forbidden(places: Collection[tuple[str, ...]]) -> Status:
    """Return Mistral's 422 that names each place."""
    text = "Extra inputs are not permitted"
    detail = [{"type": "extra_forbidden", "loc": list(loc), "msg": text} for loc in places]
    known: dict[str, Any] = error("mistral", 422).body
    return Status(422, {**known, "message": {"detail": detail}})


def perplexity(up: Upstream) -> None:
    """Usage and citations in every chunk, no [DONE]."""
    extra = {"citations": ["https://example.com"], "search_results": []}
    up.unauthorized = error("perplexity", 401)
    up.reply(Stream(Chat(usage_when="every", extra=extra), done=False))


def anthropic(up: Upstream) -> None:
    """The native messages API: it wants `anthropic-version`, `max_tokens` and `x-api-key`."""

    def check(seen: Seen) -> Behaviour | None:
        if "anthropic-version" not in seen.headers:
            return invalid("anthropic-version: header is required")
        if "x-api-key" not in seen.headers:
            return error("anthropic", 401)
        return None if "max_tokens" in seen.fields else invalid("max_tokens: Field required")

    up.unauthorized = error("anthropic", 401)
    up.checks = [check]
    up.reply(Messages())


def invalid(message: str) -> Status:
    problem = {"type": "invalid_request_error", "message": message}
    return Status(400, {"type": "error", "error": problem})


def google(up: Upstream) -> None:
    """Errors in an array; a bad key is a 400."""
    up.unauthorized = error("google", 400)


def xai(up: Upstream) -> None:
    """A bad key is a 400, with `error` as a string."""
    up.unauthorized = error("xai", 400)


def has_names(seen: Seen) -> bool:
    messages = seen.fields.get("messages") or []
    return any("name" in message for message in messages if message.get("role") != "tool")

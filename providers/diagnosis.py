"""Which kind of failure an upstream's error is: rows of a table, the first that fits decides."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from providers.failures import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Row:
    """`says` is searched in the codes and the message, in lower case, quotations left out."""

    kind: str
    statuses: Container[int]
    says: re.Pattern[str] | None = None

    def fits(self, status: int, words: str) -> bool:
        return status in self.statuses and (self.says is None or bool(self.says.search(words)))


def _row(kind: str, statuses: Container[int], *phrases: str) -> Row:
    return Row(kind, statuses, re.compile("|".join(phrases), re.MULTILINE) if phrases else None)


# A code that says as much as a status. It counts where the status says nothing: in a 200.
STATUS_OF = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "timeout_error": 408,
    "timeout": 408,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "internalservererror": 500,
    "unavailable_error": 503,
    "service_unavailable": 503,
    "overloaded_error": 529,
}

CREDIT = (
    r"insufficient[ _](?:balance|credits?|funds|quota)\b",
    r"credit balance is too low",
    r"(?:not enough|used all available|no remaining|out of|doesn't have any) credits?\b",
    r"requires more credits",
    r"exceeded your monthly included credits",
    r"(?:key|spend(?:ing)?|budget|credit) limit (?:exceeded|reached)",
    r"billing_(?:error|hard_limit_reached)\b",
    r"account (?:balance|is in arrears|has been suspended)",
)
BAD_KEY = (
    r"(?:incorrect|invalid|wrong|missing|expired|revoked)[ _](?:x-)?api[ _-](?:key|token)\b",
    r"api[ _]?key[ _](?:not valid|not found|invalid|expired|is (?:invalid|missing|expired))\b",
    r"invalid x-api-key\b",
    r"(?:invalid[ _])?authentication(?:_error|$)",
    r"unauthenticated\b",
    r"invalid username or password\b",
)


def _opening(phrases: Iterable[str]) -> tuple[str, ...]:
    """`phrases` where a code or the message begins.

    Further on, the words may be the client's own, echoed: they must not put the operator's
    credential out of service.
    """
    return tuple(rf"^(?:your |you have |this request )?{phrase}" for phrase in phrases)


ROWS = (
    _row("foreign", range(300, 400)),
    _row("foreign", {200, 403, 404}, r"^web_page$"),
    _row("foreign", {200}, r"^plain_text$"),
    _row("out_of_credit", {403, 429}, *CREDIT),
    _row("out_of_credit", {200, 400, 404}, *_opening(CREDIT)),
    _row("out_of_credit", {402}),
    _row(
        "refused_content",
        {200, 400, 403, 422, 451, 500},
        r"content_(?:policy_violation|filter)\b",
        r"content management policy",
        r"\bcontentpolicy\b",
        r"\bmoderation_(?:blocked|flagged|metadata)\b",
        r"flagged (?:by|for|as)\b",
        r"requires moderation",
        r"violat\w+ (?:our|the|openai's|usage|content)[\w ]{0,30}polic",
        r"(?:safety|content) checks",
        r"\bprohibited_content\b",
        r"rejected as a result of our safety system",
    ),
    _row("refused_content", {451}),
    _row("secret_refused", {401, 407}),
    _row("secret_refused", {200, 400, 404, 422}, *_opening(BAD_KEY)),
    _row(
        "model_missing",
        {200, 400, 403, 404, 422},
        r"\bmodel_not_(?:supported|found|available)\b",
        r"\bmodel_(?:decommissioned|terms_required|permission_blocked\w*)\b",
        r"\b(?:invalid|unknown)[ _]model\b",
        r"model not (?:supported by provider|found|available|exist)",
        r"not supported by (?:any )?provider",
        r"\bmodel\b.{0,80}\b(?:does not exist|not found|is not available)\b",
        r"\bmodel\b.{0,80}\bhas been (?:deprecated|decommissioned|removed)\b",
        r"\bno (?:such model|endpoints found|allowed providers)\b",
        r"is not a valid model",
        r"(?:cannot|can't|not (?:allowed to|authorized to|have)) (?:access|use)\b.{0,20} model\b",
    ),
    _row("secret_refused", {403}),
    _row("model_missing", {404, 410}),
    _row(
        "context_length",
        {200, 400, 413, 422, 500},
        r"\bcontext_length_exceeded\b",
        r"\bcontext_window_exceeded\b",
        r"\b(?:maximum|max|model's) context (?:length|window|size)",
        r"(?:prompt|input|request|message)s? (?:is|are) too long",
        r"input length and .?max_tokens.? exceed",
        r"exceeds? (?:the |this )?(?:available |model(?:'s)? )?(?:max\w* )?(?:context|input tok)",
        r"(?:input|prompt|total)[\w ]{0,20} tokens? (?:count )?(?:exceeds|must be (?:<|less))",
        r"too many (?:input )?tokens",
        r"reduce the length of (?:the|your)",
        r"\bexceed_context_size_error\b",
        r"\bstring_above_max_length\b",
    ),
    _row("too_large", {413}),
    _row("rate_limited", {429}),
    _row(
        "rate_limited",
        {200, 400, 403},
        r"\brate_limit_(?:exceeded|error)\b",
        r"\brate limit (?:reached|exceeded)\b",
        r"\btoo many requests\b",
        r"\bresource_exhausted\b",
        r"\bquotaviolation\b",
    ),
    _row("unavailable", {200, 500, 503}, r"\bloading model\b", r"\bis currently loading\b"),
    _row("unavailable", {503}),
    _row("timeout", {408, 499, 504, 524}),
    _row("overloaded", {200, 400}, r"\boverloaded(?:_error)?\b"),
    _row("overloaded", range(500, 600)),
    _row("unprocessable", {422}),
    _row("bad_request", range(400, 500)),
)

QUOTED = re.compile(r"\"[^\"]*\"|`[^`]*`|“[^”]*”|(?<!\w)'[^']*'(?!\w)")


def diagnose(status: int, codes: Iterable[str], message: str) -> Kind:
    """Return the kind of an error that came with `status`, with `codes` and `message` in its body.

    In a 200 the codes stand in for the status: OpenRouter's number, Anthropic's type.
    """
    codes = [code.strip().lower() for code in codes]
    if 200 <= status < 300:
        status = next(filter(None, map(_status_of, codes)), 200)
    words = "\n".join([*codes, QUOTED.sub("''", " ".join(message.lower().split()))])
    return KINDS[next((row.kind for row in ROWS if row.fits(status, words)), "broken")]


def _status_of(code: str) -> int:
    if code.isascii() and code.isdigit() and 400 <= int(code[:4]) < 600:
        return int(code)
    return STATUS_OF.get(code, 0)

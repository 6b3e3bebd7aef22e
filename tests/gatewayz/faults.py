"""Every fault of a provider: the rows of test_failover.py, and of the page docs/failover.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat, event
from tests.upstreams.errors import Status, error
from tests.upstreams.faults import (
    JSON,
    Close,
    Garbage,
    Hang,
    Html,
    Redirect,
    Reset,
    Slow,
    Truncated,
)
from tests.upstreams.seen import Seen
from tests.upstreams.stream import KEEP_ALIVE, Sse, Stream
from tests.upstreams.wire import SSE, Wire

WHOLE = ("whole",)
STREAM = ("stream",)
BOTH = WHOLE + STREAM

SECRET = "sk-proj-Zq81LmN0pQrStUvWxYz2345"
ACCOUNT = "org-AbCd1234EfGh5678IjKl"
FORBIDDEN = {"error": {"message": f"The key {SECRET} of {ACCOUNT} may not do this", "code": 403}}
ODD = {"error": {"message": f"Something odd happened to {SECRET} of {ACCOUNT}"}}
PROVIDER_FAILED = {"error": {"code": 502, "message": "Provider returned error"}}
CUT_EVENT = b'data: {"id": "chatcmpl-1", "choices": [{"ind'
NO_JSON = b"data: <html>\n\n"


@dataclass(frozen=True)
class Fault:
    """One way to fail. kind, status: what is recorded of the attempt.

    status: the provider's, None where none came. modes: how the client asks. place: who is asked.
    retry_after: what the client is told. after: it comes after the first byte. spent: it leaves no
    time for another route.
    """

    name: str
    kind: str
    does: Behaviour = field(default_factory=Close)
    status: int | None = None
    modes: tuple[str, ...] = BOTH
    place: str = "bad"
    retry_after: str | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)
    after: bool = False
    spent: bool = False


@dataclass(frozen=True)
class Begins:
    """Sends a head and `pieces` of a body of 500 bytes; the rest never comes."""

    pieces: tuple[bytes, ...] = ()
    then: str = "silence"

    async def answer(self, seen: Seen, wire: Wire) -> None:
        streamed = bool(seen.fields.get("stream"))
        await wire.head(200, SSE if streamed else JSON, None if streamed else 500)
        for piece in self.pieces:
            await wire.piece(piece)
        await (wire.cut() if self.then == "cut" else Hang().answer(seen, wire))


@dataclass(frozen=True)
class Drips:
    """Is never silent and never done."""

    async def answer(self, seen: Seen, wire: Wire) -> None:
        stream = Stream(comment=KEEP_ALIVE, comments_only_s=30)
        await (stream if seen.fields.get("stream") else Slow(count=1, gap_s=0.1)).answer(seen, wire)


def begun(then: str, **options: object) -> Stream:
    """A role and a word, some time apart so that they arrive, and then the fault."""
    return Stream(Chat("Hello there"), gap_s=0.3, stop_after=2, then=then, **options)  # type: ignore[arg-type]


def faults(elsewhere: str) -> tuple[Fault, ...]:
    """Return the rows. `elsewhere` is where redirects point to."""
    in_stream = {"modes": STREAM, "after": True}
    return (
        Fault("refused connection", "not_sent", place="refused"),
        Fault("unknown host name", "not_sent", place="unresolvable"),
        Fault("untrusted TLS certificate", "not_sent", place="untrusted"),
        Fault("429", "rate_limited", error("openai", 429, "rate_limit"), 429, retry_after="5"),
        Fault(
            "429 with Retry-After: 7",
            "rate_limited",
            error("openai", 429, "rate_limit", retry_after="7"),
            429,
            retry_after="7",
        ),
        Fault("429 insufficient_quota", "out_of_credit", error("openai", 429, "quota"), 429),
        Fault("500", "overloaded", error("openai", 500), 500),
        Fault("502", "overloaded", Status(502, {"error": "Bad gateway"}), 502),
        Fault("503", "unavailable", Status(503), 503, retry_after="5"),
        Fault(
            "503 with estimated_time: 20",
            "unavailable",
            error("huggingface", 503),
            503,
            retry_after="20",
        ),
        Fault("504", "timeout", Status(504, "upstream request timeout"), 504),
        Fault("529", "overloaded", error("anthropic", 529), 529),
        Fault("401", "secret_refused", error("openai", 401), 401),
        Fault("402", "out_of_credit", error("openrouter", 402), 402),
        Fault("403", "secret_refused", Status(403, FORBIDDEN), 403),
        Fault("404 model_not_found", "model_missing", error("openai", 404), 404),
        Fault("400", "bad_request", error("openai", 400, "parameter"), 400),
        Fault("400 context_length", "context_length", error("openai", 400, "context_length"), 400),
        Fault("413", "too_large", Status(413, {"error": "Too large"}), 413),
        Fault("422", "unprocessable", error("deepinfra", 422), 422),
        Fault("403 flagged content", "refused_content", error("openrouter", 403), 403),
        Fault("web page with 502", "overloaded", Html(502), 502),
        Fault("web page with 403", "foreign", Html(403), 403),
        Fault("web page with 200", "foreign", Html(200), 200),
        Fault("redirect", "foreign", Redirect(f"{elsewhere}/chat/completions", 307), 307),
        Fault("error in a 200", "overloaded", Status(200, PROVIDER_FAILED), 200),
        Fault("error without a reason in a 200", "overloaded", Status(200, ODD), 200),
        Fault(
            "error event first",
            "overloaded",
            Sse([KEEP_ALIVE, event(PROVIDER_FAILED)]),
            200,
            STREAM,
        ),
        Fault("truncated JSON", "broken", Truncated(), 200),
        Fault("empty answer", "broken", Status(200), 200, WHOLE),
        Fault("truncated event first", "broken", Sse([CUT_EVENT + b"\n\n"]), modes=STREAM),
        Fault("stream without events", "broken", Sse([KEEP_ALIVE]), modes=STREAM),
        Fault("garbage instead of HTTP", "broken", Garbage()),
        Fault("connection cut before the head", "lost", Close()),
        Fault("connection reset before the head", "lost", Reset()),
        Fault("connection cut after the head", "lost", Begins(then="cut")),
        Fault("connection cut before the first event", "lost", Begins((CUT_EVENT,), "cut")),
        Fault("silence before the head", "timeout", Hang(), timeouts={"first_byte": 0.6}),
        Fault("silence after the head", "timeout", Begins(), timeouts={"idle": 0.6}),
        Fault("too slow as a whole", "timeout", Drips(), timeouts={"total": 1.5}, spent=True),
        Fault("connection cut after the first event", "lost", begun("cut"), **in_stream),
        Fault("connection reset after the first event", "lost", begun("reset"), **in_stream),
        Fault(
            "silence after the first event",
            "timeout",
            begun("silence"),
            timeouts={"idle": 1},
            **in_stream,
        ),
        Fault(
            "error event after the first",
            "overloaded",
            begun("end", error=PROVIDER_FAILED),
            **in_stream,
        ),
        Fault(
            "garbage after the first event",
            "broken",
            Sse([event({"choices": [{"index": 0, "delta": {"content": "Hello"}}]}), NO_JSON], 0.3),
            **in_stream,
        ),
    )

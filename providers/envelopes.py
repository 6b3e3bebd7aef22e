"""Reads an upstream's error answer, whatever its envelope, into a Failure. Never raises.

The envelopes, each seen at some provider: `{error: {…}}`, `{error: "…"}`, `[{error: {…}}]`, flat
`{message, type, param, code}`, `{code, error: "…"}`, `{code, reason, message}`, `{detail: …}`,
`{message: {detail: […]}}`, `{message, id}`, `{fault: {…}}`, `{type: "error", error: {…}}`, web
pages, plain text, nothing, JSON cut short. A code may be a number.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from providers import retry_after
from providers.cleaning import GONE, clean
from providers.diagnosis import diagnose
from providers.failures import KINDS, Failure, Kind

READ_BYTES = 256 * 1024
DEPTH = 6
ITEMS = 5
TEXT = 4000

OWN_TROUBLE = {
    "secret_refused": "The operator's credential at this provider was refused.",
    "out_of_credit": "The operator's account at this provider is out of credit.",
}
CODES = ("code", "type", "status", "reason", "errorcode", "error_code")
WORDS = ("error", "message", "msg", "detail", "details", "fault", "faultstring", "errors", "raw")
INNER = (*WORDS, "metadata")
CUT_SHORT = re.compile(r'"(?:message|error|detail|msg)"\s{0,9}:\s{0,9}"((?:[^"\\]|\\.){1,2000})')
PARAM = re.compile(r"[A-Za-z_][\w.\[\]-]{0,99}")


@dataclass(slots=True)
class Said:
    """What an error body says. `estimated_s`: until a model is loaded; `delay_s`: asked of us.

    `page`: it is a web page. `error`: it calls itself an error, though its status does not.
    """

    texts: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    param: str | None = None
    estimated_s: float | None = None
    delay_s: float | None = None
    page: bool = False
    error: bool = False


def read_failure(
    status: int, headers: Mapping[str, str], body: bytes, secrets: Sequence[str] = ()
) -> Failure:
    """Return what the answer means; `status` is 200 when the error came in a successful answer.

    Header names are lower-case. Texts are cleaned of addresses, ids and `secrets`.
    """
    said = _read(body, successful=200 <= status < 300)
    kind = diagnose(status, said.codes, " ".join(said.texts))
    if kind.name == "broken" and said.error:
        kind = KINDS["overloaded"]  # an error without a reason: nothing was answered
    if said.estimated_s is not None and kind.name in ("broken", "overloaded", "unavailable"):
        kind = KINDS["unavailable"]
    blameless = kind.name not in OWN_TROUBLE
    return Failure(
        kind=kind,
        message=_message(kind, status, said, secrets),
        status=status,
        retry_after_s=_wait_s(kind, headers, said),
        param=_param(said.param, secrets) if blameless else None,
    )


def _read(body: bytes, successful: bool) -> Said:
    said = Said()
    text = body[:READ_BYTES].decode("utf-8", "replace").strip().removeprefix("\ufeff")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        said.page = text[:200].lstrip().startswith("<")
        if said.page:
            said.codes.append("web_page")
        elif not successful:
            said.texts = _salvaged(text)
        elif text[:1] not in ("{", "[") and _legible(text):
            said.codes.append("plain_text")
        return said
    said.error = successful and _tells_an_error(value)
    if said.error or not successful:
        _listen(said, value, DEPTH)
    return said


def _tells_an_error(value: object) -> bool:
    """Whether a 200's body is an error at all, and not some answer that we did not expect."""
    value = value[0] if isinstance(value, list) and value else value
    names = ("error", "errors", "fault", "detail")
    return isinstance(value, dict) and any(value.get(name) is not None for name in names)


def _salvaged(text: str) -> list[str]:
    """The message of JSON cut short, or else the text if it is one."""
    if text[:1] in ("{", "["):
        return CUT_SHORT.findall(text[:TEXT])[:1]
    return [text[:TEXT]] if _legible(text) else []


def _legible(text: str) -> bool:
    return bool(text) and "\ufffd" not in text[:TEXT] and "\x00" not in text[:TEXT]


def _listen(said: Said, value: object, depth: int) -> None:
    """Gather what `value` says, outermost first, down to a bounded depth."""
    if isinstance(value, str):
        _hear(said, value.strip(), depth)
    elif isinstance(value, list) and depth:
        for item in value[:ITEMS]:
            _listen(said, item, depth - 1)
    elif isinstance(value, dict) and depth:
        _note(said, value)
        for key in INNER:
            inner = value.get(key)
            if key != "metadata" or isinstance(inner, dict):
                _listen(said, _place(value, inner) if key == "msg" else inner, depth - 1)


def _hear(said: Said, text: str, depth: int) -> None:
    """Take a text as it is, or, where a gateway quotes an upstream's JSON, what that says."""
    if depth and text.startswith(("{", "[")):
        with suppress(msgspec.DecodeError, ValueError, RecursionError):
            return _listen(said, msgspec.json.decode(text), depth - 1)
    if text:
        said.texts.append(text[:TEXT])
    return None


def _place(value: Mapping[object, object], text: object) -> object:
    """FastAPI's `{loc, msg}` as one sentence."""
    path = _path(value.get("loc"))
    return f"{path}: {text}" if path and isinstance(text, str) else text


def _path(loc: object) -> str:
    if not isinstance(loc, list):
        return ""
    steps = [str(step)[:60] for step in loc[:10] if isinstance(step, str | int)]
    return ".".join(steps[1:] if steps[:1] == ["body"] else steps)


def _note(said: Said, value: Mapping[object, object]) -> None:
    """Note the codes, the parameter and the delays that stand in one object."""
    for key in CODES:
        code = value.get(key)
        if isinstance(code, str | int | float) and not isinstance(code, bool):
            said.codes.append(str(code)[:200])
    if "flagged_input" in value or isinstance(value.get("reasons"), list):
        said.codes.append("moderation_metadata")
    param = value.get("param") or _path(value.get("loc"))
    if said.param is None and isinstance(param, str) and param:
        said.param = param
    if said.estimated_s is None:
        said.estimated_s = retry_after.number(value.get("estimated_time"))
    if said.delay_s is None and "retryDelay" in value:
        said.delay_s = retry_after.duration_s(value["retryDelay"])


def _wait_s(kind: Kind, headers: Mapping[str, str], said: Said) -> float | None:
    if kind.name == "unavailable" and said.estimated_s is not None:
        return retry_after.bounded(said.estimated_s, 1.0, 600.0)
    waits = retry_after.asked_s(headers)
    if waits is None and said.delay_s is not None:
        waits = retry_after.bounded(said.delay_s)
    if waits is None and kind.name == "rate_limited":
        waits = retry_after.limit_s(headers)
    return waits


def _message(kind: Kind, status: int, said: Said, secrets: Sequence[str]) -> str:
    if kind.name in OWN_TROUBLE:
        return OWN_TROUBLE[kind.name]
    if 300 <= status < 400:
        return f"The provider answered with a redirect (HTTP {status}), which is not followed."
    texts = list(dict.fromkeys(said.texts[:ITEMS]))
    if len(texts) > 1:
        texts = [text.rstrip(" .;\n") for text in texts]
    message = clean("; ".join(texts), secrets)
    if message.strip(GONE + " ;"):
        return message
    if said.page:
        return f"The provider answered with a web page (HTTP {status})."
    if 200 <= status < 300:
        return "The provider's answer could not be read."
    return f"The provider answered with HTTP {status} and no message."


def _param(param: str | None, secrets: Sequence[str]) -> str | None:
    """A parameter's name or path, and nothing that is no name."""
    if param is None or not PARAM.fullmatch(param) or clean(param, secrets) != param:
        return None
    return param

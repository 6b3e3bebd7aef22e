"""How long a provider asks us to wait, from the many headers in which it may say so."""

import math
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3600.0
UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
DURATION = re.compile(r"(?:\d{1,12}(?:\.\d{0,12})?(?:h|ms|us|µs|ns|m|s))+")
DURATION_PART = re.compile(r"(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)")
RATE_LIMIT_T = re.compile(r"(?:^|[;,\s])(?:t|reset)=(\d{1,12})")
RESET = "x-ratelimit-reset-"


def bounded(seconds: float, least: float = 0.0, most: float = LONGEST_S) -> float | None:
    return None if math.isnan(seconds) else min(max(seconds, least), most)


def number(text: object) -> float | None:
    try:
        return float(str(text)[:40])
    except ValueError:
        return None


def duration_s(text: object) -> float | None:
    """Read Go's `6m0s`, Google's `30s`, or plain seconds."""
    text = str(text)[:60].strip()
    if DURATION.fullmatch(text):
        return sum(float(size) * UNITS_S[unit] for size, unit in DURATION_PART.findall(text))
    return number(text)


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of retry-after-ms or Retry-After (seconds or a date), within bounds.

    Header names are lower-case.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        waited_ms = number(headers.get(name))
        if waited_ms is not None:
            return bounded(waited_ms / 1000)
    value = headers.get("retry-after", "").strip()
    seconds = duration_s(value)
    if seconds is None and value:
        seconds = _until(value, headers.get("date", ""))
    return None if seconds is None else bounded(seconds)


def limit_s(headers: Mapping[str, str]) -> float | None:
    """Return when a limit is reset; sent with every answer, so it means a wait only after a 429."""
    found = RATE_LIMIT_T.search(headers.get("ratelimit", "")[:500])
    if found:
        return bounded(float(found[1]))
    resets = dict(_resets(headers))
    used_up = [resets[name] for name in resets if _used_up(headers, name)]
    if not resets:
        return None
    return bounded(max(used_up) if used_up else min(resets.values()))


def _resets(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, value in headers.items():
        seconds = duration_s(value) if name.startswith(RESET) else None
        if seconds is not None and not math.isnan(seconds):
            yield name.removeprefix(RESET), seconds


def _used_up(headers: Mapping[str, str], what: str) -> bool:
    left = number(headers.get(f"x-ratelimit-remaining-{what}"))
    return left is not None and left <= 0


def _until(date: str, now: str) -> float | None:
    """Seconds from the answer's own Date, which shares the provider's clock, to `date`."""
    until = _timestamp(date)
    return None if until is None else until - (_timestamp(now) or time.time())


def _timestamp(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date[:60]).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

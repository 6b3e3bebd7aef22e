"""What of a provider's text may be shown: words and model names, no address, secret or account.

Every pattern is bounded, so that a hostile text costs no more than its length.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise

GONE = "…"
SHOWN = 500
READ = 2000
PUNCTUATION = ".,:;!?\"'`()[]{}*"
FRAGMENT = 8  # so many consecutive characters of a secret give it away

_TLD = (
    r"(?:[a-z]{2}|com|net|org|info|biz|dev|app|cloud|run|xyz|tech|site|online|store|host|live|edu"
    r"|gov|mil|int|name|pro|systems|network|services|example|test|invalid|internal|intranet|local"
    r"|localdomain|lan|home|corp|cluster|svc|private|arpa|onion)"
)
_NAMED = r"(?:account|project|organi[sz]ation|customer|tenant|user|team|workspace|subscription)"
_VALUE = r"[\w*.…+/=-]"


def _pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(text, flags)


# In this order: an address hides what stands in it from the narrower patterns below it.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # addresses
    (_pattern(r"[a-z][a-z0-9+.-]{0,15}://[^\s\"'<>`]*"), GONE),
    (_pattern(r"[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"), GONE),
    (
        _pattern(r"(?<![\w.-])(?:[a-z0-9_-]{1,63}\.){1,9}[a-z][a-z0-9-]{1,62}:\d{2,5}(?!\w)\S*"),
        GONE,
    ),
    (_pattern(rf"(?<![\w.-])(?:[a-z0-9-]{{1,63}}\.){{1,9}}{_TLD}\.?(?![\w.-])(?:[:/]\S*)?"), GONE),
    (
        _pattern(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]\d)(?:[:/]\d{1,5})?(?:/[^\s\"']*)?"),
        GONE,
    ),
    (_pattern(r"\blocalhost(?:[:/]\S*)?"), GONE),
    (_pattern(r"\b(lookup|hostname) [\w.-]+"), r"\1 " + GONE),
    (
        _pattern(r"(?<![\w.-])(?!\w*(?:token|limit|length|request))[a-z][\w-]{1,62}:\d{4,5}(?!\w)"),
        GONE,
    ),
    (_pattern(r"(?<![\w/.-])~?(?:/[\w.@+~-]{1,255}){2,99}/?"), GONE),
    (_pattern(r"(?<!\w)[a-z]:\\[^\s\"']+"), GONE),
    # credentials
    (_pattern(r"\b(bearer)\s+(?=\S{0,99}[\d*._…-])\S{4,}"), r"\1 " + GONE),
    (
        _pattern(
            r"\b(api[-_ ]?key|secret|password|authorization|access[-_ ]?token)"
            r"([\"']?\s{0,3}[:=]\s{0,3})(?:(?:bearer|basic)\s+)?[^\s,;)]+"
        ),
        r"\1\2" + GONE,
    ),
    (_pattern(rf"(?<![a-z0-9])(?:sk|pk|rk|gsk|xai|csk|nvapi|pplx|sess)[-_]{_VALUE}{{4,}}"), GONE),
    (_pattern(rf"(?<![a-z0-9])(?:hf|fw|tgp|r8|cpk|ghp|gwz|nb)_{_VALUE}{{4,}}"), GONE),
    (_pattern(r"(?:AIza|AKIA|eyJ|ya29\.)[\w*.…-]{4,}", 0), GONE),
    (_pattern(r"(?<![\w-])[\w-]{0,99}(?:\*{2,99}|[•●]{1,99})[\w-]{0,99}"), GONE),
    # ids
    (_pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), GONE),
    (
        _pattern(r"(?<![a-z0-9])(?:org|proj|acct|cus|wrkspc)[-_](?=\w{0,40}[0-9A-Z])[\w-]{4,}", 0),
        GONE,
    ),
    (_pattern(rf"(?<![a-z0-9]){_NAMED}[-_](?=[\w-]{{0,40}}\d|[a-z]{{16}})[\w-]{{4,}}"), GONE),
    (
        _pattern(
            r"(?<![a-z0-9])(?:req|request|msg|resp|chatcmpl|gen|run|trace)[-_](?=\w{0,40}\d)\w{10,}"
        ),
        GONE,
    ),
    (_pattern(rf"\b({_NAMED}s)/(?=[\w.:-]{{0,60}}\d)[\w.:-]+"), r"\1/" + GONE),
    (_pattern(r"\b(projects|organizations)/[\w.:-]+"), r"\1/" + GONE),
    (
        _pattern(
            rf"\b({_NAMED}(?:[ _-]?(?:id|number|name))?[ :=#(]{{0,4}})([`'\"])[^`'\"]{{2,64}}\2"
        ),
        r"\1" + GONE,
    ),
    (
        _pattern(
            rf"\b((?:{_NAMED}(?:[ _-]?(?:id|number|name))?|request[ _-]?id)"
            r"[`'\"]?[ :=#(]{1,4}[`'\"]?)"
            r"(?=[\w.@-]{0,60}\d)[\w.@-]{4,}"
        ),
        r"\1" + GONE,
    ),
    (_pattern(r"(?<![\w-])(?=[0-9a-f]{0,64}\d)(?=\d{0,64}[a-f])[0-9a-f]{16,}(?![\w-])"), GONE),
    (_pattern(r"[0-9a-f]{24,}"), GONE),
)
LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
MASKED = re.compile(r"([\w-]{0,40})(?:\.{3,40}|…)([\w-]{0,40})")
MAYBE_IPV6 = re.compile(r"(?<!\w)\[?[0-9a-fA-F:.]{2,45}\]?(?::\d{1,5})?(?!\w)")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """Return `text` fit to be shown, in one line of at most 500 characters.

    `secrets` go whatever they look like, whole, in fragments, or with their middle masked.
    """
    text = _readable(text)
    for secret in secrets:
        text = _without_secret(text, secret)
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    text = MAYBE_IPV6.sub(_unless_ipv6, text)
    text = LONG_RUN.sub(lambda run: GONE if _random(run[0]) else run[0], text)
    text = re.sub(r"(?:…\s?){2,}", "… ", UNPRINTABLE.sub(" ", text)).strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + GONE


def _readable(text: str) -> str:
    """One line, well-formed, bounded; what the bound may have cut in two is left out."""
    text = text[: READ + 1].encode("utf-8", "replace").decode()
    text = UNPRINTABLE.sub(" ", INVISIBLE.sub("", text))
    return text.rpartition(" ")[0] if len(text) > READ else text


def _without_secret(text: str, secret: str) -> str:
    if len(secret) < 4:
        return text
    text = re.sub(re.escape(secret), GONE, text, flags=re.IGNORECASE)
    if GONE in text or "..." in text:
        text = MASKED.sub(lambda mask: GONE if _masks(mask[1], mask[2], secret) else mask[0], text)
    if len(secret) < FRAGMENT:
        return text
    fragments, ends = _fragments(secret)

    def shown(word: str) -> str:
        low = word.lower()
        core = low.strip(PUNCTUATION)
        windows = (low[i : i + FRAGMENT] for i in range(len(low) - FRAGMENT + 1))
        if core in ends or any(window in fragments for window in windows):
            return low.replace(core, GONE) if core else GONE
        return word

    return " ".join(shown(word) for word in text.split(" "))


@lru_cache(maxsize=256)
def _fragments(secret: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return what gives `secret` away within a word, and what does so as a word of its own."""
    lower = secret.lower()
    windows = frozenset(lower[i : i + FRAGMENT] for i in range(len(lower) - FRAGMENT + 1))
    ends = {end for n in range(4, FRAGMENT) for end in (secret[:n], secret[-n:])}
    return windows, frozenset(end.lower() for end in ends if not end.islower())


def _masks(head: str, tail: str, secret: str) -> bool:
    fits = secret.startswith(head) and secret.endswith(tail)
    return fits and len(head) + len(tail) >= 3


def _unless_ipv6(found: re.Match[str]) -> str:
    text = found[0]
    if text.count(":") < 2:
        return text
    bare = text.partition("]")[0].strip("[").rstrip(".")
    return GONE if _is_ip(bare) or _is_ip(bare.removesuffix(":")) else text


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _random(run: str) -> bool:
    """Whether `run` looks drawn by lot: no name has twenty letters and digits without a hyphen,
    nor changes between capitals, small letters and digits at almost every second character."""
    parts = [part for part in re.split(r"[-_/+=]", run) if part]
    if any(len(part) >= 20 and re.search(r"\d", part) for part in parts):
        return True
    kinds = ["".join("d" if c.isdigit() else "u" if c.isupper() else "l" for c in p) for p in parts]
    changes = sum(a != b for kind in kinds for a, b in pairwise(kind))
    return changes > 0.4 * len(run)

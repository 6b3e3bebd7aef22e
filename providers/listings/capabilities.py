"""What a listed model can be asked to do, in the catalogue's words."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate

from providers.listings.fields import Fields

KNOWN = ("chat", "completions", "embeddings", "images", "audio", "rerank", "moderations")

NOTHING: frozenset[str] = frozenset()
CHAT = frozenset({"chat"})
COMPLETIONS = frozenset({"completions"})
TEXT = CHAT | COMPLETIONS
EMBEDDINGS = frozenset({"embeddings"})
IMAGES = frozenset({"images"})
AUDIO = frozenset({"audio"})
RERANK = frozenset({"rerank"})
MODERATIONS = frozenset({"moderations"})

WORDS = (  # in ids of lists that state no type; rules for names belong to the listing's entry
    (re.compile(r"rerank", re.IGNORECASE), RERANK),
    (re.compile(r"embed", re.IGNORECASE), EMBEDDINGS),
    (re.compile(r"moderation", re.IGNORECASE), MODERATIONS),
    (re.compile(r"transcri|speech|(?<![a-z])(?:tts|asr)(?![a-z])", re.IGNORECASE), AUDIO),
)

OUTPUTS: Mapping[str, frozenset[str]] = {
    "image": IMAGES,
    "embedding": EMBEDDINGS,
    "embeddings": EMBEDDINGS,
    "audio": AUDIO,
    "speech": AUDIO,
    "transcription": AUDIO,
    "rerank": RERANK,
}

CapabilityRule = Callable[[Fields, str], frozenset[str]]
Kinds = Sequence[tuple[re.Pattern[str], frozenset[str]]]


def by_id(text: frozenset[str]) -> CapabilityRule:
    """Read the words of the id; `text` is what a model without such a word can do."""

    def rule(fields: Fields, id: str) -> frozenset[str]:
        for word, capabilities in WORDS:
            if word.search(id):
                return capabilities
        return text

    return rule


def by_type(path: str, types: Mapping[str, frozenset[str]], rest: CapabilityRule) -> CapabilityRule:
    """Trust the type that a row states, strange ones as nothing; without one go by `rest`."""

    def rule(fields: Fields, id: str) -> frozenset[str]:
        stated = fields.text(path)
        return types.get(stated, NOTHING) if stated else rest(fields, id)

    return rule


def by_flag(
    path: str, text: frozenset[str], *, otherwise: frozenset[str] = NOTHING
) -> CapabilityRule:
    """Go by the words of the id, and let a flag that is false take `text` away."""
    words = by_id(text)

    def rule(fields: Fields, id: str) -> frozenset[str]:
        found = words(fields, id)
        return otherwise if found == text and fields.at(path) is False else found

    return rule


def by_outputs(text: frozenset[str]) -> CapabilityRule:
    """Go by the output modalities. What answers in text is called as `text` is, images or not."""
    unstated = by_id(text)

    def rule(fields: Fields, id: str) -> frozenset[str]:
        stated = outputs(fields)
        if not stated:
            return unstated(fields, id)
        return text if "text" in stated else union(OUTPUTS.get(kind, NOTHING) for kind in stated)

    return rule


def inputs(fields: Fields) -> tuple[str, ...]:
    listed = fields.texts("architecture.input_modalities", "input_modalities")
    return listed or _side(fields, 0)


def outputs(fields: Fields) -> tuple[str, ...]:
    listed = fields.texts("architecture.output_modalities", "output_modalities")
    return listed or _side(fields, 1)


def _side(fields: Fields, side: int) -> tuple[str, ...]:
    """Read one side of `text+image->text`."""
    sides = fields.text("architecture.modality").split("->")
    return tuple(kind for kind in sides[side].split("+") if kind) if len(sides) == 2 else ()


def union(found: Iterable[frozenset[str]]) -> frozenset[str]:
    return NOTHING.union(*found)


def pattern(glob: str) -> re.Pattern[str]:
    """Compile a pattern over ids: `*guard*`, in any case."""
    return re.compile(translate(glob), re.IGNORECASE)


def overridden(kinds: Kinds, rule: CapabilityRule) -> CapabilityRule:
    """Let the entry's own rules over ids go first."""

    def first(fields: Fields, id: str) -> frozenset[str]:
        for glob, capabilities in kinds:
            if glob.match(id):
                return capabilities
        return rule(fields, id)

    return first if kinds else rule

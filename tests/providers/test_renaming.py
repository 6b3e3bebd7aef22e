"""A model's name is put back in the text itself, or not at all."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.renaming import Renaming

TEXTS = st.sampled_from(
    ["model", '"model"', '"model":', '"model":"m"', "\\", '\\"model":"m"', "é𝄞", "", "m", ":"]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def renamed(text: bytes) -> bytes | None:
    return Renaming(b'"asked"').apply(text, _members(text)["model"])


@given(st.dictionaries(TEXTS, VALUES, max_size=4), VALUES, st.booleans(), st.booleans())
def test_only_the_model_changes(rest, model, spaced, ascii_only) -> None:
    whole = {**rest, "model": model}
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(whole, separators=separators, ensure_ascii=ascii_only).encode()
    given = renamed(text)
    assert given is None or json.loads(given) == {**whole, "model": "asked"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"id":"1","model":"m","choices":[]}',
        b'{"model": "m", "choices": [{"delta": {"content": "the \\"model\\": m"}}]}',
        b'{"model":null}',
    ],
)
def test_the_usual_is_renamed(text: bytes) -> None:
    given = renamed(text)
    assert given is not None
    assert json.loads(given) == {**json.loads(text), "model": "asked"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"model":"m","x":{"model":"m"}}',
        b'{"model":"m","model":"m"}',
        b'{"mod\\u0065l":"m"}',
        b'{"model" : "m"}',
    ],
)
def test_what_could_be_misread_is_left_alone(text: bytes) -> None:
    assert renamed(text) is None


def test_the_name_may_change_in_the_middle_of_a_stream() -> None:
    renaming = Renaming(b'"asked"')
    for name in (b'"a"', b'"b"', b'"a"'):
        text = b'{"model":' + name + b"}"
        assert renaming.apply(text, _members(text)["model"]) == b'{"model":"asked"}'

"""Whatever a file says, it is applied or explained, and never half of it."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewayz.configfile import schema
from gatewayz.configfile.applying import apply
from gatewayz.configfile.exporting import export
from gatewayz.configfile.problems import Invalid
from gatewayz.configfile.reading import read
from gatewayz.configfile.scalars import plain
from tests.gatewayz.configfile.files import WORLD, put

WORDS = sorted(
    {*schema.SECTIONS, "t-north", "t-n", "t/Chat-1", "t-short", "default", "acme", "version"}
    | {part for kind in schema.KINDS for key in kind.keys for part in key.path.split(".")}
    | {name for kind in schema.KINDS for name in kind.lists}
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, "1e5", "0.10", "2026-01-01", "https://a.example", "price", "chat"])
)
KEYS = st.sampled_from(WORDS) | st.text(max_size=4)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
ROWS = st.dictionaries(KEYS, TREES, max_size=6)
FILES = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        name: st.lists(ROWS, max_size=3)
        if name == "blocks"
        else st.dictionaries(KEYS, ROWS | LEAVES)
        for name in schema.SECTIONS
    },
)
CALM = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def tried(data: bytes) -> None:
    """Apply for show, then in earnest; a plan and a refusal change nothing, and both agree."""
    before, prune = export(), len(data) % 2 == 0
    try:
        planned = apply(data, dry=True, prune=prune).lines
    except Invalid:
        planned = None
    assert export() == before
    try:
        assert apply(data, prune=prune).lines == planned
        assert apply(data, prune=prune).lines == []
    except Invalid:
        assert planned is None
        assert export() == before


@pytest.mark.django_db
@CALM
@given(FILES)
def test_a_file_of_the_right_shape_is_applied_or_explained(tree):
    put(WORLD)
    tried(json.dumps(tree).encode())


@pytest.mark.django_db
@CALM
@given(TREES)
def test_any_tree_is_applied_or_explained(tree):
    tried(json.dumps(tree).encode())


@pytest.mark.django_db
@CALM
@given(st.binary(max_size=60) | st.text("[]{}:,-&*!|>'\"\n #%a1\t", max_size=40).map(str.encode))
def test_any_bytes_are_applied_or_explained(data):
    tried(data)


@pytest.mark.django_db
@CALM
@given(st.integers(0, len(WORLD) - 1), st.sampled_from(["", ":", "\n", "[", '"', "x", " ", "-"]))
def test_any_slip_of_the_pen_is_applied_or_explained(place, slip):
    tried((WORLD[:place] + slip + WORLD[place + 1 :]).encode())


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=10,
    )
)
@settings(max_examples=150, deadline=None)
def test_json_is_read_as_json(tree):
    node, problems = read(json.dumps({"a": tree}).encode())
    assert problems == []
    assert plain(node) == {"a": tree}

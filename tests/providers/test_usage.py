"""What providers report is divided into buckets that sum to it, whatever shape it has."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.anthropic_usage import counted, usage_object
from providers.adapters.content import text_bytes_of
from providers.adapters.usage import MOST_PIECES, MOST_TOKENS, usage_of
from providers.values import Usage


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def reported(**said: Any) -> Usage | None:
    return usage_of(raw({"prompt_tokens": 100, "completion_tokens": 50, **said}))


def said(**buckets: Any) -> Usage:
    return Usage(**({"input": 100, "output": 50} | buckets))


SHAPES: dict[str, tuple[dict[str, Any], Usage]] = {
    "plain": ({"total_tokens": 150}, said()),
    "OpenAI's details": (
        {
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 30, "audio_tokens": 10},
            "completion_tokens_details": {
                "reasoning_tokens": 20,
                "audio_tokens": 5,
                "accepted_prediction_tokens": 1,
            },
        },
        said(input=60, cached_input=30, audio_input=10, output=25, reasoning=20, audio_output=5),
    ),
    "images in and out": (
        {
            "prompt_tokens_details": {"image_tokens": 80},
            "completion_tokens_details": {"image_tokens": 45},
        },
        said(input=20, image_input=80, output=5, image_output=45),
    ),
    "DeepSeek's cache": (
        {"prompt_cache_hit_tokens": 70, "prompt_cache_miss_tokens": 30, "total_tokens": 150},
        said(input=30, cached_input=70),
    ),
    "Moonshot's cache": ({"cached_tokens": 70}, said(input=30, cached_input=70)),
    "OpenRouter's cost, tools and cache": (
        {
            "cost": 0.00123,
            "is_byok": False,
            "cost_details": {"upstream_inference_cost": None},
            "server_tool_use": {"web_search_requests": 2},
            "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 20},
        },
        said(input=75, cached_input=5, cache_write=20, searches=2, reported_nano=1_230_000),
    ),
    "xAI's reasoning beside the completion": (
        {"total_tokens": 180, "completion_tokens_details": {"reasoning_tokens": 30}},
        said(output=50, reasoning=30),
    ),
    "Google's thoughts in the total alone": ({"total_tokens": 190}, said(reasoning=40)),
    "Anthropic's names, in the prompt": (
        {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 10, "total_tokens": 150},
        said(input=30, cached_input=60, cache_write=10),
    ),
    "Anthropic's names, beside the prompt": (
        {
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 10,
            "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
            "total_tokens": 220,
        },
        said(cached_input=60, cache_write=6, cache_write_1h=4),
    ),
    "Perplexity's searches and cost": (
        {"num_search_queries": 3, "cost": {"total_cost": 0.01}},
        said(searches=3),
    ),
    "nulls": (
        {"prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": None}},
        said(),
    ),
    "zeros": ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, Usage()),
    "numbers as text": ({"prompt_tokens": "100", "completion_tokens": 50.0}, said()),
    "no completion": ({"completion_tokens": None}, said(output=0)),
}


@pytest.mark.parametrize(("given_", "wanted"), SHAPES.values(), ids=SHAPES)
def test_each_shape_is_read(given_: dict[str, Any], wanted: Usage):
    assert reported(**given_) == wanted


NONSENSE: dict[str, tuple[dict[str, Any], Usage]] = {
    "a negative part": ({"prompt_tokens_details": {"cached_tokens": -5}}, said()),
    "a part above its whole": (
        {"prompt_tokens_details": {"cached_tokens": 500, "audio_tokens": 10}},
        said(input=0, cached_input=100),
    ),
    "parts that overlap": (
        {
            "prompt_tokens_details": {
                "cached_tokens": 60,
                "cache_write_tokens": 60,
                "audio_tokens": 60,
            }
        },
        said(input=0, cached_input=60, cache_write=40),
    ),
    "reasoning above the completion": (
        {"completion_tokens_details": {"reasoning_tokens": 90}},
        said(output=0, reasoning=50),
    ),
    "a part that is text": (
        {"prompt_tokens_details": {"cached_tokens": "many", "audio_tokens": 3}},
        said(input=97, audio_input=3),
    ),
    "details that are no object": (
        {"prompt_tokens_details": 7, "completion_tokens_details": [1]},
        said(),
    ),
    "a total below the parts": ({"total_tokens": 1}, said()),
    "a total beyond all": ({"total_tokens": 10**12}, said()),
    "a cost that is none": ({"cost": -1}, said()),
    "a cost of text": ({"cost": "0.1"}, said()),
    "too many searches": (
        {"server_tool_use": {"web_search_requests": 10**9}},
        said(searches=MOST_PIECES),
    ),
}


@pytest.mark.parametrize(("given_", "wanted"), NONSENSE.values(), ids=NONSENSE)
def test_a_part_that_makes_no_sense_is_cut_or_left_out(given_: dict[str, Any], wanted: Usage):
    assert reported(**given_) == wanted


@pytest.mark.parametrize(
    "wrong", [-1, 1.5, "x", True, [], {}, MOST_TOKENS + 1, 10**30], ids=lambda value: repr(value)
)
@pytest.mark.parametrize("side", ["prompt_tokens", "completion_tokens"])
def test_a_whole_that_makes_no_sense_is_no_report(side: str, wrong: Any):
    assert reported(**{side: wrong}) is None


@pytest.mark.parametrize("value", [None, {}, [], 5, "usage", {"total_tokens": 3}])
def test_what_is_no_report_is_none(value: Any):
    assert usage_of(raw(value)) is None
    assert usage_of(None) is None


sizes = st.integers(-10, 300) | st.sampled_from([None, "7", 8.0, "x", 10**12])
details = st.none() | st.dictionaries(
    st.sampled_from(
        [
            *("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"),
            *("reasoning_tokens", "ephemeral_1h_input_tokens", "web_search_requests"),
        ]
    ),
    sizes,
)
OBJECTS = "prompt_tokens_details", "completion_tokens_details", "cache_creation", "server_tool_use"
NUMBERS = (
    *("total_tokens", "prompt_cache_hit_tokens", "cached_tokens"),
    *("cache_read_input_tokens", "cache_creation_input_tokens", "num_search_queries", "cost"),
)
reports = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(0, 300), "completion_tokens": st.integers(0, 300)},
    optional=dict.fromkeys(OBJECTS, details | sizes) | dict.fromkeys(NUMBERS, sizes),
)


@settings(max_examples=300)
@given(reports)
def test_buckets_are_whole_and_sum_to_what_was_reported(report: dict[str, Any]):
    usage = usage_of(raw(report))
    assert usage is not None
    assert all(count >= 0 for count in usage.counts)
    prompt, completion = report["prompt_tokens"], report["completion_tokens"]
    beside = usage.prompt + usage.completion - prompt - completion
    if beside:
        assert usage.prompt + usage.completion == int(report["total_tokens"])
    assert usage.prompt in (prompt, prompt + beside)


@settings(max_examples=200)
@given(st.recursive(sizes, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_report_breaks_the_reader(value: Any):
    usage_of(raw(value))
    usage_of(raw({"prompt_tokens": value, "completion_tokens": 1, "prompt_tokens_details": value}))
    counted(raw({"input_tokens": 1, "cache_creation": value})).usage()


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(10, 5)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 30,
                "cache_creation_input_tokens": 20,
                "cache_creation": {"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 12},
                "server_tool_use": {"web_search_requests": 1},
            },
            Usage(10, 5, 30, 8, 12, searches=1),
        ),
        (
            {"input_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 12}},
            Usage(10, 0, cache_write_1h=12),
        ),
        (
            {
                "input_tokens": 10,
                "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_1h_input_tokens": 12},
            },
            Usage(10, 0, cache_write_1h=5),
        ),
        ({"input_tokens": 10, "output_tokens": "x", "cache_read_input_tokens": -3}, Usage(10)),
        ({"input_tokens": -1, "output_tokens": 5}, None),
        ({"output_tokens": 5}, None),
        ("usage", None),
    ],
)
def test_anthropics_counts_are_in_one_bucket_each(report: Any, wanted: Usage | None):
    assert counted(raw(report)).usage() == wanted


def test_openais_clients_are_told_the_wholes_and_the_cache():
    told = usage_object(Usage(10, 5, 30, 8, 12))
    details = {"cached_tokens": 30, "cache_write_tokens": 20}
    wanted = {"prompt_tokens": 60, "completion_tokens": 5, "total_tokens": 65}
    assert told == {**wanted, "prompt_tokens_details": details}


@pytest.mark.parametrize(
    ("choices", "size"),
    [
        ([{"delta": {"content": "äb"}}], 3),
        ([{"message": {"content": None, "reasoning": "abc"}}], 3),
        ([{"text": "ä"}], 2),
        ([{"delta": {"content": "it broke"}, "finish_reason": "error"}], 0),
        ([{"message": "Internal server error"}], 0),
        (["error"], 0),
        (None, 0),
    ],
)
def test_text_is_counted_and_an_error_is_no_text(choices: Any, size: int):
    assert text_bytes_of(raw(choices)) == size


def test_a_journals_line_names_only_what_was_used():
    assert msgspec.json.encode(Usage(3, 4)) == b'{"input":3,"output":4}'
    assert msgspec.json.decode(b'{"input":3,"output":4}', type=Usage) == Usage(3, 4)

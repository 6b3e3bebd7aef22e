"""Whatever a provider answers, a parser raises ListingError or reads it; and quickly."""

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from providers.listings.registry import SHAPES
from providers.listings.values import Listed, ListingError, Page
from tests.providers.listings.world import SAMPLES, URL, parser, read

PARSERS = {name: parser(name) for name in SHAPES}
BODIES = [(given.parser, json.loads(bytes(given.body))) for given in SAMPLES.values()]
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

texts = some.text(some.characters(), max_size=12)  # halves of pairs too
leaves = (
    some.none()
    | some.booleans()
    | some.integers(-(10**40), 10**40)
    | some.floats(allow_nan=False, allow_infinity=False)
    | texts
    | some.sampled_from(["-1", "1e999999999", "live", "https://evil.example/", "\x00", "٣", "1e-7"])
)
values = some.recursive(
    leaves,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def survives(name: str, body: bytes, headers: dict[str, str]) -> None:
    try:
        page = PARSERS[name].read(PARSERS[name].first(URL), headers, body)
    except ListingError:
        return
    assert isinstance(page, Page)
    for row in page.rows:
        assert isinstance(row, Listed)
        assert row.upstream_id.strip()
        json.dumps([row.upstream_id, row.name, row.description]).encode()
    if page.next is not None:
        assert page.next.url.startswith("https://api.example.com/v1/models?")


@quick
@given(
    some.sampled_from(sorted(SHAPES)), some.binary(max_size=200), some.dictionaries(texts, texts)
)
def test_any_bytes(name: str, body: bytes, headers: dict[str, str]) -> None:
    survives(name, body, headers)


@quick
@given(some.sampled_from(sorted(SHAPES)), values, texts)
def test_any_json(name: str, answer: Any, link: str) -> None:
    key = SHAPES[name].rows
    survives(name, json.dumps(answer).encode(), {"Link": f'<{link}>; rel="next"'})
    survives(name, json.dumps(answer if key is None else {key: answer}).encode(), {})
    survives(name, json.dumps([answer] if key is None else {key: [answer]}).encode(), {})


@quick
@given(some.sampled_from(BODIES), some.data())
def test_any_value_in_place_of_any_other(
    given_body: tuple[str, Any], data: some.DataObject
) -> None:
    name, body = given_body
    answer = copy.deepcopy(body)
    for _ in range(data.draw(some.integers(1, 3))):
        places = list(leaves_of(answer))
        if places:
            holder, key = data.draw(some.sampled_from(places))
            holder[key] = data.draw(values)
    survives(name, json.dumps(answer).encode(), {})


def leaves_of(value: Any) -> Any:
    """Yield every place inside a JSON value, as its holder and the key there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from leaves_of(inner)


@pytest.mark.timeout(60)
def test_pages_of_thousands_of_rows_are_read_in_moments() -> None:
    rows = [
        {
            **{"id": f"org/model-{place}", "name": f"Model {place}", "created": 1726531200},
            **{"context_length": 32768, "max_completion_tokens": 4096, "description": "x" * 2700},
            **{"pricing": {"input": 0.1, "output": "0.2"}, "extra": list(range(50))},
        }
        for place in range(5000)
    ]
    body = json.dumps({"data": rows}).encode()
    begun = time.process_time()
    page = read("featherless", body)
    assert len(page.rows) == 5000
    assert time.process_time() - begun < 2.0


@pytest.mark.timeout(60)
def test_hostile_lengths_cost_no_more_than_they_weigh() -> None:
    long = "-" * 500_000
    begun = time.process_time()
    listed = {"id": "x", "name": long, "description": long, "pricing": {"prompt": long}}
    read("openrouter", {"data": [listed, {"id": long}, {"id": "y", "context_length": long}]})
    link = "<" * 200_000 + ";rel=" * 20_000 + '</v1/models?x>; rel="next"'
    read("huggingface-hub", [{"id": "x"}], headers={"Link": link + " " * 200_000})
    assert time.process_time() - begun < 2.0

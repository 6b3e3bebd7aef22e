"""The races for a budget once more, on PostgreSQL: its bookkeeper and workers write at once."""

from collections.abc import Iterator

import pytest

from tests.gatewayz.limits.crowd import key_on
from tests.gatewayz.limits.spending import DOLLAR, asked, budget, priced
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Gateway]:
    folder, url = tmp_path_factory.mktemp("four"), new_database(postgres_url)
    with Gateway(folder, workers=4, database_url=url) as gateway:
        yield gateway


@pytest.fixture
def model(four: Gateway, upstream: Upstream) -> str:
    return priced(four, upstream, delay_s=0.2)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("scope", ["key", "account"])
def test_a_budget_for_one_admits_one_of_two_hundred(
    four: Gateway, model: str, upstream: Upstream, scope: str, stream: bool
) -> None:
    key = key_on(four)
    budget(four, key, DOLLAR + DOLLAR // 2, scope=scope)
    assert asked(four, key, model, 200, stream) == {200: 1, 402: 199}
    assert len(upstream.requests) == 1


def test_a_budget_for_seven_admits_seven(four: Gateway, model: str) -> None:
    key = key_on(four)
    budget(four, key, 7 * DOLLAR + DOLLAR // 10)
    assert asked(four, key, model, 60) == {200: 7, 402: 53}


def test_what_is_not_used_of_a_hold_is_free_again(four: Gateway, model: str) -> None:
    key = key_on(four)
    budget(four, key, 2 * DOLLAR)
    assert [asked(four, key, model) for _ in range(3)] == [{200: 1}, {200: 1}, {402: 1}]

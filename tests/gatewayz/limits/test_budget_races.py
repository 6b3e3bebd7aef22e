"""Races for a budget, on SQLite and on PostgreSQL, whose bookkeeper and workers write at once."""

from collections.abc import Iterator

import pytest

from tests.gatewayz.limits.crowd import key_on
from tests.gatewayz.limits.spending import DOLLAR, asked, budget, priced
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def racing(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway of four workers."""
    if request.param == "sqlite":
        yield request.getfixturevalue("four")
        return
    folder = request.getfixturevalue("tmp_path_factory").mktemp("four")
    url = new_database(request.getfixturevalue("postgres_url"))
    template = request.getfixturevalue("migrated")
    with Gateway(folder, workers=4, database_url=url, template=template) as gateway:
        yield gateway


@pytest.fixture
def model(racing: Gateway, upstream: Upstream) -> str:
    return priced(racing, upstream, delay_s=0.2)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("scope", ["key", "account"])
def test_a_budget_for_one_admits_one_of_two_hundred(
    racing: Gateway, model: str, upstream: Upstream, scope: str, stream: bool
) -> None:
    key = key_on(racing)
    budget(racing, key, DOLLAR + DOLLAR // 2, scope=scope)
    assert asked(racing, key, model, 200, stream) == {200: 1, 402: 199}
    assert len(upstream.requests) == 1


def test_a_budget_for_seven_admits_seven(racing: Gateway, model: str) -> None:
    key = key_on(racing)
    budget(racing, key, 7 * DOLLAR + DOLLAR // 10)
    assert asked(racing, key, model, 60) == {200: 7, 402: 53}


def test_what_is_not_used_of_a_hold_is_free_again(racing: Gateway, model: str) -> None:
    key = key_on(racing)
    budget(racing, key, 2 * DOLLAR)
    assert [asked(racing, key, model) for _ in range(3)] == [{200: 1}, {200: 1}, {402: 1}]

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gatewayz.money.crowd import GREEDY, Nodes
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway

KINDS = ("sqlite", "postgresql", "two nodes")


@pytest.fixture(scope="package")
def start(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Callable[[int, str], Gateway]]:
    with ExitStack() as running:

        def start(workers: int, url: str) -> Gateway:
            folder = tmp_path_factory.mktemp("node")
            gateway = Gateway(folder, workers=workers, database_url=url, template=migrated)
            return running.enter_context(gateway)

        yield start


@pytest.fixture(scope="package")
def up() -> Iterator[Upstream]:
    with Upstream() as up:
        up.reply(GREEDY)
        yield up


@pytest.fixture(scope="package")
def on_sqlite(start: Callable[[int, str], Gateway], up: Upstream) -> Nodes:
    return Nodes([start(4, "")], up)


@pytest.fixture(scope="package")
def on_postgresql(start: Callable[[int, str], Gateway], up: Upstream, postgres_url: str) -> Nodes:
    url = new_database(postgres_url)
    return Nodes([start(4, url), start(2, url)], up)


@pytest.fixture(params=KINDS)
def nodes(request: pytest.FixtureRequest) -> Nodes:
    """SQLite and four workers; PostgreSQL and four workers; the same and a second node of two."""
    if request.param == "sqlite":
        return request.getfixturevalue("on_sqlite")
    both = request.getfixturevalue("on_postgresql")
    return both if request.param == "two nodes" else both.alone()

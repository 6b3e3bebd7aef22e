from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.world.gateway import Gateway


@pytest.fixture(scope="package")
def four(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Gateway]:
    """A gateway of four workers, shared by the tests of limits."""
    with Gateway(tmp_path_factory.mktemp("four"), workers=4, template=migrated) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, valkey_url: str
) -> Iterator[list[Gateway]]:
    """Two nodes of two workers on one database, with Valkey between them."""
    with ExitStack() as running:
        folders = [tmp_path_factory.mktemp(name) for name in ("north", "south")]
        north = Gateway(folders[0], workers=2, template=migrated, redis_url=valkey_url)
        running.enter_context(north)
        south = Gateway(
            folders[1],
            workers=2,
            template=migrated,
            redis_url=valkey_url,
            database_url=north.database_url,
        )
        running.enter_context(south)
        yield [north, south]

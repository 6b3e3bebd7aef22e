"""Fixtures that any test may ask for."""

from collections.abc import Iterator

import pytest

from tests.upstreams.server import Upstream

pytest_plugins = ["tests.world.fixtures"]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up

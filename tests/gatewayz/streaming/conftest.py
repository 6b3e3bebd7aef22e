"""One provider with many models for all tests of streaming, so that none waits for an `apply`."""

from collections.abc import Iterator

import pytest

from tests.gatewayz.streaming.line import MODELS, Line
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway


@pytest.fixture(scope="session")
def line(gateway: Gateway) -> Iterator[Line]:
    with Upstream() as up:
        gateway.provider(up, MODELS, slug="line")
        yield Line(gateway, up)

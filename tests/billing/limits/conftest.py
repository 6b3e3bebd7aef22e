from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.billing.limits.bench import Desk


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open desks that share one folder, each a process of its own to the file."""
    made: list[Desk] = []

    def open_desk(capacity: int = 64) -> Desk:
        made.append(Desk(tmp_path, capacity))
        return made[-1]

    yield open_desk
    for desk in made:
        desk.close()


@pytest.fixture
def desk(desks: Callable[..., Desk]) -> Desk:
    return desks()

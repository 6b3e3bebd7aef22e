"""Fixtures: one gateway for all tests that share it, private ones, and database servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.servers import postgres, valkey
from tests.world.gateway import Gateway
from tests.world.orphans import guarded


@pytest.fixture(scope="session", autouse=True)
def no_orphans() -> Iterator[None]:
    with guarded():
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture(scope="module")
def database_put_back(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For a module whose tests commit: the flush after each takes the rows of migrations, too."""
    with django_db_blocker.unblock():
        rows = connection.creation.serialize_db_to_string()
    yield
    with django_db_blocker.unblock():
        options = {"interactive": False, "verbosity": 0, "inhibit_post_migrate": True}
        call_command("flush", **options)
        connection.creation.deserialize_db_from_string(rows)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite file, because migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("migrated")
    Gateway(folder).migrate()
    return folder / "gatewayz.sqlite3"


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Gateway]:
    """The gateway that tests share (SQLite, one worker); add to it with `gateway.provider`."""
    with Gateway(tmp_path_factory.mktemp("gateway"), template=migrated) as gw:
        yield gw


@pytest.fixture
def gateways(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Callable[..., Gateway]]:
    """Start gateways of the test's own: `gateways(workers=4)`; they stop when it ends."""
    with ExitStack() as running:

        def start(**options: Any) -> Gateway:
            folder = tmp_path_factory.mktemp("gateway")
            return running.enter_context(Gateway(folder, template=migrated, **options))

        yield start

"""Fixtures that any test may ask for, and how files are dealt out to processes."""

from collections.abc import Iterator

import pytest
from django.test.utils import override_settings
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from tests.upstreams.server import Upstream

pytest_plugins = ["tests.world.fixtures"]

# Their gateways are many processes, so that one process of tests runs the whole folder.
TOGETHER = ("tests/gatewayz/limits/", "tests/gatewayz/money/")

# An example may take as long as a busy machine needs. The examples are the same each time, so that
# a change fails for what it changed; `--hypothesis-profile wild` looks for new ones.
settings.register_profile("steady", parent=settings(), deadline=None, derandomize=True)
settings.register_profile("wild", parent=settings(), deadline=None, max_examples=2000)
settings.load_profile("steady")


class FilesAndFolders(LoadFileScheduling):
    """Gives a process a file at a time, or one of the folders that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FilesAndFolders:
    return FilesAndFolders(config, log)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords in no time: people are made for each test, at 0.4 s of a processor each."""
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=quick):
        yield


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up

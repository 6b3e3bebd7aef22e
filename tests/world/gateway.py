"""The gateway, served: a process of its own, spoken to as users and operators do."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import httpx
import openai
import yaml

from tests.servers import free_port
from tests.upstreams.server import Upstream
from tests.world import database, orphans
from tests.world.config import Declared, Model, unique
from tests.world.processes import Process, descendants, listeners, parents
from tests.world.steward import Steward

ROOT = Path(__file__).parents[2]
# The rest stays outside: an operator's HF_TOKEN or proxy must not change a test.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "VIRTUAL_ENV", orphans.MARK)
SECRETS = {
    "SECRET_KEY": "tests-only-" + "s" * 40,
    "GATEWAYZ_ENCRYPTION_KEYS": "dGVzdHMtb25seS1lbmNyeXB0aW9uLWtleS0zMmJ5dGU=",
    "GATEWAYZ_KEY_PEPPERS": "tests-only-" + "p" * 40,
}


class CommandFailed(AssertionError):
    """A management command ended with another code than 0."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        super().__init__(f"{done.args} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        self.done = done


class Gateway:
    """`with Gateway(folder) as gw:` migrates, serves on a free port and issues a first key.

    SQLite in `folder` unless `database_url` names another; `env` is added to its environment;
    template: a migrated SQLite file to start from, instead of migrating; on PostgreSQL, a database
    that is migrated once per server.
    """

    def __init__(
        self,
        folder: Path,
        workers: int = 1,
        database_url: str = "",
        redis_url: str = "",
        env: Mapping[str, str] | None = None,
        template: Path | None = None,
    ) -> None:
        self.folder, self.workers, self.template = folder, workers, template
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url or f"sqlite:///{folder / 'gatewayz.sqlite3'}"
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ} | SECRETS
        self.env |= {"DATABASE_URL": self.database_url, "GATEWAYZ_DATA_DIR": str(folder)}
        self.env |= {"GATEWAYZ_PROBES_PER_DAY": "0"}  # nobody asks an upstream but the test
        self.env |= {"GATEWAYZ_LIMIT_COUNTERS": "2048"}
        self.env |= ({"REDIS_URL": redis_url} if redis_url else {}) | dict(env or {})
        self.declared = Declared()
        self.steward = Steward(self.env, ROOT, folder / "steward.log")
        self.process: Process | None = None
        self.key = ""

    def __enter__(self) -> Self:
        self.migrate()
        try:
            self.start()
            self.key = self.issue_key()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def migrate(self) -> None:
        if self.template is None:
            self.run("migrate")
            database.lift_limits(self.database_url)
        elif self.database_url.startswith("sqlite:"):
            shutil.copyfile(self.template, self.folder / "gatewayz.sqlite3")
        elif database.is_empty(self.database_url):
            self.copy_migrated()

    def copy_migrated(self) -> None:
        """Fill a PostgreSQL database from one that is migrated once per server."""
        template, new = database.sibling(self.database_url, "migrated")
        if new:
            Gateway(self.folder, database_url=template).migrate()
        database.copy(template, self.database_url)

    def start(self, timeout_s: float = 60.0) -> None:
        """Serve, and return when /readyz says so; RuntimeError with the log if it does not."""
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        command = [sys.executable, "manage.py", "serve", *place]
        self.process = Process(command, self.folder / "serve.log", self.env, ROOT)
        until = time.monotonic() + timeout_s
        while not self.ready():
            if self.process.ended or time.monotonic() > until:
                self.process.kill()
                raise RuntimeError(f"the gateway did not get ready:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Stop serving; return the exit code. `start` serves again, with the same data."""
        self.steward.stop()
        return self.process.stop() if self.process else 0

    @property
    def log(self) -> str:
        return self.process.log if self.process else ""

    def ready(self) -> bool:
        with suppress(httpx.TransportError):
            return self.fresh("/readyz").status_code == 200
        return False

    def fresh(self, path: str) -> httpx.Response:
        """GET on a connection of its own, so that any worker may answer."""
        return httpx.get(self.url + path, trust_env=False, timeout=5)

    def run(self, *args: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` as an operator does: a new process, all checks."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True)
        return self._checked(done, check)

    def manage(self, *args: str, check: bool = True) -> str:
        """Run a management command, quickly; return its stdout."""
        return self._checked(self.steward.run(*args), check).stdout

    def _checked(
        self, done: "subprocess.CompletedProcess[str]", check: bool
    ) -> "subprocess.CompletedProcess[str]":
        if check and done.returncode:
            raise CommandFailed(done)
        return done

    def issue_key(self, account: str = "tests", credit: str = "1000", *args: str) -> str:
        return self.manage("issue_key", "--account", account, "--credit", credit, *args).strip()

    def apply(self, config: Mapping[str, Any] | str, *args: str, settle: bool = True) -> str:
        """Apply a config; return once every worker serves from it."""
        text = config if isinstance(config, str) else yaml.safe_dump(dict(config), sort_keys=False)
        path = self.folder / f"{unique('config')}.yaml"
        path.write_text(text)
        printed = self.manage("apply", str(path), *args)
        if settle:
            self.settle()
        return printed

    def provider(
        self, upstream: Upstream | str, models: Iterable[Model] = (), slug: str = "", **config: Any
    ) -> str:
        """Add a provider at `upstream` with offers of `models`; return its slug.

        A model is its id, or {"id", "upstream_id", "backends", "price", "capabilities", …}.
        """
        slug = slug or unique("provider")
        self.apply(self.declared.provider(slug, upstream, models, **config))
        return slug

    def revision(self) -> int | None:
        """Return the revision that /readyz reports; None if it reports none."""
        answer = self.fresh("/readyz")
        return answer.json().get("revision") if answer.status_code == 200 else None

    def settle(self, timeout_s: float = 10.0) -> None:
        """Wait until all workers serve what the database holds now; AssertionError if not."""
        [state] = self.rows("SELECT number FROM catalog_state")
        until = time.monotonic() + timeout_s
        streak = 0
        while streak < (1 if self.workers == 1 else 5 * self.workers):
            now = self.revision()
            streak = streak + 1 if now is not None and now >= state["number"] else 0
            assert time.monotonic() < until, f"at revision {now}, not {state['number']}"
            if streak == 0:
                time.sleep(0.02)

    def worker_pids(self) -> list[int]:
        """Return the processes that answer requests: those on the port that have no child there."""
        assert self.process is not None
        holders = listeners(self.port, [self.process.pid, *descendants(self.process.pid)])
        known = parents()
        managers = {known[pid] for pid in holders if pid in known}
        return [pid for pid in holders if pid not in managers]

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """Query the gateway's database; `?` stands for a parameter."""
        return database.rows(self.database_url, sql, params)

    def openai(self, **options: Any) -> openai.OpenAI:
        given: dict[str, Any] = {
            "base_url": f"{self.url}/v1",
            "api_key": self.key,
            "max_retries": 0,
        } | options
        return openai.OpenAI(**given)

    @cached_property
    def http(self) -> httpx.Client:
        """A client that bears the key; paths begin with /."""
        bearer = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=bearer, trust_env=False, timeout=30)

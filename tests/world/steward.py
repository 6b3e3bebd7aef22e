"""Runs management commands in one long-lived process: a line of JSON in, a line out.

Tests run hundreds of commands, and each `manage.py` would spend a second on importing Django.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO


class Steward:
    """The client's side. It is started by the first command, and again after it died."""

    def __init__(self, env: Mapping[str, str], cwd: Path, log_path: Path) -> None:
        self.env, self.cwd, self.log_path = env, cwd, log_path
        self.child: subprocess.Popen[str] | None = None

    def run(self, name: str, *args: str) -> subprocess.CompletedProcess[str]:
        child = self.started()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps([name, *args]) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        if not line:
            raise RuntimeError(f"the steward died:\n{self.log_path.read_text()}")
        return subprocess.CompletedProcess([name, *args], *json.loads(line))

    def started(self) -> subprocess.Popen[str]:
        if self.child is None or self.child.poll() is not None:
            with self.log_path.open("ab") as log:
                self.child = subprocess.Popen(
                    [sys.executable, "-m", "tests.world.steward"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=self.env,
                    cwd=self.cwd,
                    text=True,
                )
        return self.child

    def stop(self) -> None:
        if self.child is not None:
            self.child.communicate()
            self.child = None


def execute(name: str, args: list[str]) -> tuple[int, str, str]:
    """Run one command; return its exit code, stdout and stderr as `manage.py` would."""
    from django.core.management import CommandError, call_command

    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            call_command(name, *args, stdout=out, stderr=err)
        except CommandError as exc:
            code = exc.returncode
            print(f"{type(exc).__name__}: {exc}", file=err)
        except SystemExit as exc:
            code = exc.code or 0
    return (code if isinstance(code, int) else 1), out.getvalue(), err.getvalue()


def serve(requests: TextIO, answers: TextIO) -> None:
    import django
    from django.db import connections

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatewayz.settings")
    django.setup()
    for line in requests:
        name, *args = json.loads(line)
        answer = execute(name, args)
        connections.close_all()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)

"""Statements on PostgreSQL: their guards are written once per database."""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import new_database

ROOT = Path(__file__).parents[3]


def test_statements_are_as_strict_on_postgresql(postgres_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/billing/statements/test_statements.py"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": new_database(postgres_url)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout

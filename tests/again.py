"""Runs a file of tests once more, on PostgreSQL, whose guards are written apart from SQLite's."""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import new_database

ROOT = Path(__file__).parents[1]


def passes_on_postgresql(file: str, url: str) -> bool:
    """Return whether all tests of `file` pass; AssertionError with what pytest said if not."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", file],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": new_database(url)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return " passed" in done.stdout

"""Names for who holds a lease: a node is a folder of journals, a process one run of a web process.

A process lives as long as it holds the lock of a journal that bears its name.
"""

import fcntl
import os
import re
import socket
from contextlib import suppress
from pathlib import Path

FILE = ".node"


def node_of(folder: Path) -> str:
    """Return the name of a folder of journals; it is made once and stays."""
    path = folder / FILE
    if not path.exists():
        host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname()).strip("-")[:30]
        draft = folder / f"{FILE}-{os.getpid()}-{os.urandom(4).hex()}"
        draft.write_text(f"{host}-{os.urandom(4).hex()}")
        with suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all, and whoever is first
        draft.unlink()
    return path.read_text().strip()


def new_process(node: str) -> str:
    """Return a name that no other run of a process has."""
    return f"{node}.{os.getpid()}.{os.urandom(4).hex()}"


def process_of(path: Path) -> str:
    """Return the process that writes a journal."""
    return path.stem.partition("-")[2]


def is_complete(path: Path) -> bool:
    """Whether the process that appended to it is gone, or has gone on to another file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def lives(folder: Path, process: str) -> bool:
    """Whether a process is there: it has begun its next journal before it leaves the last."""
    before: set[Path] | None = None
    while True:
        paths = journals_of(folder, process)
        if any(not is_complete(path) for path in paths):
            return True
        if paths == before:
            return False
        before = paths


def journals_of(folder: Path, process: str) -> set[Path]:
    return set(folder.glob(f"[0-9]*-{process}.jsonl"))

"""Secrets of a laptop: made once, kept in the data directory, readable by its owner alone."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def writable(folder: Path) -> Path:
    """Return `folder`, made if it was missing; refuse one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(
            f"the data directory {folder} cannot be made: {problem.strerror}"
        ) from problem
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"the data directory {folder} cannot be written")
    return folder


def local_secret(path: Path) -> str:
    """Return the secret kept at `path`; the first call makes it. Two processes agree on one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()

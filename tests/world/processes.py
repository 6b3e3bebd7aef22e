"""Child processes, and what /proc tells of them."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A child in a group of its own that writes stdout and stderr to `log_path`."""

    def __init__(
        self, command: Sequence[str], log_path: Path, env: Mapping[str, str], cwd: Path
    ) -> None:
        self.log_path = log_path
        with log_path.open("ab") as log:
            self.child = subprocess.Popen(
                command, stdout=log, stderr=log, env=env, cwd=cwd, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self.child.poll() is not None

    def stop(self, timeout_s: float = 15.0) -> int:
        """End it politely, then by force, its children with it; return its exit code."""
        if self.ended:
            return self.child.wait()
        family = descendants(self.pid)
        self.child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(timeout_s)
        self.kill(family)
        return self.child.wait()

    def kill(self, family: Sequence[int] = ()) -> None:
        """SIGKILL the whole group, and `family`, which may have left the group."""
        family = [*family, *([] if self.ended else descendants(self.pid))]
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait()


def parents() -> dict[int, int]:
    """Return every process's parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(ValueError, OSError):
            found[int(entry.name)] = int(stat(int(entry.name))[1])
    return found


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (its second is the parent)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants(pid: int) -> list[int]:
    """Return the children of `pid`, theirs, and so on."""
    known = parents()
    family = [pid]
    for member in family:
        family += [child for child, parent in known.items() if parent == member]
    return family[1:]


def rss_bytes(pid: int) -> int:
    """Return the memory that a process occupies now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, user and system."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def listeners(port: int, pids: Sequence[int]) -> list[int]:
    """Return those of `pids` that hold a listening socket of `port`."""
    inodes = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    return [pid for pid in pids if inodes & set(open_files(pid))]


def listening_inodes(port: int) -> list[str]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]


def open_files(pid: int) -> list[str]:
    found = []
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.append(os.readlink(entry))
    return found

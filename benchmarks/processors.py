"""Who runs on which processor, and how much of it a process has used."""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def two() -> tuple[int | None, int | None]:
    """Return a processor for what is measured and one for all else; None where there is one."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def bind(pid: int, cpu: int | None) -> None:
    """Keep a process, all its threads, on one processor; None: wherever it likes."""
    if cpu is not None:
        let_on(pid, {cpu})


def let_on(pid: int, cpus: set[int]) -> None:
    """Let a process, all its threads, use these processors and no others; nothing if it is gone."""
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), cpus)


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS

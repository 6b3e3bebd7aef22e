"""A journal's lines are whole, its files appear locked, and a disk that refuses loses nothing."""

import fcntl
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from billing.books.journal import Journal
from billing.books.records import decode
from billing.leases.owners import is_complete
from tests.billing.lines import opened, record
from tests.world.gateway import ROOT

# Python ignores SIGXFSZ, so a write beyond the limit is an error, as on a full disk.
FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from billing.books.journal import Journal
    from providers.errors import NoProviderAvailable
    from tests.billing.lines import opened, record

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def refused():
        try:
            journal.ready()
        except NoProviderAvailable as problem:
            return problem.retry_after_s == 5
        return False

    journal = Journal(Path(sys.argv[1]), largest=2000)
    journal.write(record("before", 1))
    (path,) = Path(sys.argv[1]).glob("*.jsonl")
    assert not refused()
    limit(path.stat().st_size + int(sys.argv[2]))
    for name in ("late-1", "late-2"):
        journal.write(record(name, 1))
    journal.write(opened("late-3", 1))
    assert journal.broken
    assert refused() and refused()
    assert not journal.mend()
    limit(resource.RLIM_INFINITY)
    assert not refused() and not journal.broken
    for number in range(10):
        journal.write(record(f"after-{number}", 1))
    journal.close()
"""


def ids(folder: Path) -> list[str]:
    """Return what the journals say, the lines that can be read."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                found.append(decode(line).request_id)
            except ValueError:
                continue
    return found


def test_a_line_can_be_read_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(record("a", 1))
    assert ids(tmp_path) == ["a"]
    journal.write(opened("b", 1))
    assert ids(tmp_path) == ["a", "b"]
    journal.close()


def test_a_file_is_complete_once_its_process_closes_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    assert not is_complete(path)
    journal.close()
    assert is_complete(path)


def test_a_file_is_complete_once_its_process_is_killed(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from billing.books.journal import Journal
        journal = Journal(Path({str(tmp_path)!r}))
        print("open", flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (path,) = tmp_path.glob("*.jsonl")
        assert not is_complete(path)
        process.kill()
    assert is_complete(path)


def test_only_its_owner_reads_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_mode & 0o077 == 0
    journal.close()


def test_a_fresh_file_begins_with_the_open_streams(tmp_path: Path) -> None:
    journal = Journal(tmp_path, largest=1000)
    journal.write(opened("open", 1))
    journal.write(opened("ended", 1))
    journal.write(record("ended", 1))
    for number in range(4):
        journal.write(record(f"r{number}", 1))
    *others, last = sorted(tmp_path.glob("*.jsonl"))
    assert others
    assert decode(last.read_bytes().splitlines()[0]).request_id == "open"
    assert b"ended" not in last.read_bytes()
    assert all(is_complete(path) for path in others)
    with last.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    journal.close()


def test_a_journal_that_cannot_be_replaced_grows_on(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = Journal(folder, largest=500)
    folder.rename(tmp_path / "away")
    for number in range(5):
        journal.write(record(f"r{number}", 1))
    assert not journal.broken
    assert len(ids(tmp_path / "away")) == 5
    journal.close()


@pytest.mark.parametrize("room", [0, 1, 100, 399])
def test_what_a_full_disk_refused_is_written_when_there_is_room(tmp_path: Path, room: int) -> None:
    """Nothing is admitted meanwhile. `room`: where in a line the disk is full."""
    code = textwrap.dedent(FULL_DISK)
    command = [sys.executable, "-c", code, str(tmp_path), str(room)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    expected = {"before", "late-1", "late-2", "late-3", *(f"after-{n}" for n in range(10))}
    assert set(ids(tmp_path)) == expected

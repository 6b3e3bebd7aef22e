"""The shared file, with real processes: exact together, unharmed by whoever dies."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from billing.limits import layout
from billing.limits.counters import Counter
from billing.limits.counting import Refused, Taken
from billing.limits.sharing import PATIENCE_S
from billing.limits.sweeping import sweep
from tests.billing.limits.bench import Desk, limit
from tests.billing.limits.worker import SLOTS

ROOT = Path(__file__).parents[3]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start workers in the desks' folder."""
    workers: list[subprocess.Popen[str]] = []

    def started(*what: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.billing.limits.worker", str(tmp_path), *what]
        workers.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return workers[-1]

    yield started
    for worker in workers:
        worker.kill()
        worker.wait()


def ready(worker: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def test_four_processes_admit_exactly_the_limit(start: Start) -> None:
    workers = [start("tries", "400", "1000") for _ in range(4)]
    admitted = [int(worker.communicate()[0]) for worker in workers]
    assert sum(admitted) == 1000


def test_a_process_that_is_killed_with_the_lock_holds_nobody_up(desk: Desk, start: Start) -> None:
    counter = Counter(limit("requests", 5))
    ready(start("lock")).kill()
    began = time.monotonic()
    assert isinstance(desk.take([counter]), Taken)
    assert time.monotonic() - began < PATIENCE_S
    assert desk.file.words[layout.LATE] == 0


def test_a_process_that_is_stopped_with_the_lock_holds_others_up_only_for_a_moment(
    desk: Desk, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    worker = ready(start("lock"))
    worker.send_signal(signal.SIGSTOP)
    counter = Counter(limit("requests", 5))
    began = time.monotonic()
    assert isinstance(desk.take([counter]), Taken)
    assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + 1
    assert desk.file.words[layout.LATE] == 1
    assert "is not given back" in caplog.text


def test_the_slots_of_a_killed_process_are_free_after_a_sweep(desk: Desk, start: Start) -> None:
    worker = ready(start("slots", "3", "4"))
    slots = Counter(limit("concurrency", 4, name=SLOTS))
    assert isinstance(desk.take([slots]), Taken)
    assert isinstance(desk.take([slots]), Refused)
    assert sweep(desk.file) == 0
    worker.kill()
    worker.wait()
    assert isinstance(desk.take([slots]), Refused)
    assert sweep(desk.file) == 1
    taken = [isinstance(desk.take([slots]), Taken) for _ in range(4)]
    assert taken == [True, True, True, False]


def test_a_sweep_mends_a_total_that_its_process_died_before_writing(
    desk: Desk, start: Start
) -> None:
    worker = ready(start("slots", "1", "4"))
    slots = Counter(limit("concurrency", 4, name=SLOTS))
    assert isinstance(desk.take([slots]), Taken)
    desk.file.words[slots.place + layout.TOTAL] += 7
    worker.kill()
    worker.wait()
    sweep(desk.file)
    assert desk.file.words[slots.place + layout.TOTAL] == 1


def test_a_window_forgets_a_total_that_was_written_wrongly(desk: Desk) -> None:
    counter = Counter(limit("requests", 4))
    desk.take([counter])
    desk.file.words[counter.place + layout.TOTAL] = 99
    assert isinstance(desk.take([counter]), Refused)
    desk.at_s = 0.7
    assert [isinstance(desk.take([counter]), Taken) for _ in range(4)] == [True] * 3 + [False]


def test_counts_outlive_all_processes(desks: Callable[[], Desk]) -> None:
    used = limit("requests", 1, name="kept")
    first = desks()
    assert isinstance(first.take([Counter(used)]), Taken)
    assert isinstance(desks().take([Counter(used)]), Refused)


@pytest.mark.parametrize("harm", ["short", "foreign", "other version", "empty"])
def test_a_file_that_is_none_of_ours_is_made_anew(
    tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "counters"
    Desk(tmp_path).close()
    whole = path.read_bytes()
    harmed = {
        "short": whole[:5000],
        "foreign": b"x" * len(whole),
        "other version": whole[:8] + b"\x63" + whole[9:],
        "empty": b"",
    }
    path.write_bytes(harmed[harm])
    desk = Desk(tmp_path)
    assert "damaged or of another version" in caplog.text
    assert isinstance(desk.take([Counter(limit("requests", 1))]), Taken)
    assert path.stat().st_size == layout.size_of(64)
    desk.close()


def test_another_capacity_makes_the_file_anew(tmp_path: Path) -> None:
    Desk(tmp_path, 64).close()
    Desk(tmp_path, 128).close()
    assert (tmp_path / "counters").stat().st_size == layout.size_of(128)


def test_a_file_that_was_removed_is_made_anew_and_old_slots_do_not_count_there(
    desks: Callable[[], Desk], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = desks(), desks()
    slots = Counter(limit("concurrency", 2, name="once"))
    before = one.take([slots])
    assert isinstance(before, Taken)
    one.file.path.unlink()
    for desk in (one, other):
        assert desk.file.replaced()
        desk.file.open()
        assert not desk.file.replaced()
    assert isinstance(one.take([slots]), Taken)
    one.end(before)
    again = Counter(limit("concurrency", 2, name="once"))
    assert [isinstance(other.take([again]), Taken) for _ in range(2)] == [True, False]


def test_no_two_processes_have_one_number(desks: Callable[[], Desk]) -> None:
    assert len({desks().file.process for _ in range(5)}) == 5


def test_the_blocks_of_the_file_are_there_from_the_beginning(desk: Desk) -> None:
    """A full disk must not kill who counts."""
    assert os.stat(desk.file.path).st_blocks * 512 >= layout.size_of(64)


def test_stale_limits_make_room_for_new_ones(desk: Desk) -> None:
    for number in range(500):
        desk.at_s = number * 61.0
        for _ in range(10):
            assert isinstance(desk.take([Counter(limit("requests", 1))]), Taken)
    assert desk.file.words[layout.EVICTIONS] == 0


def test_with_more_limits_than_room_the_oldest_go_and_slots_stay(desk: Desk) -> None:
    slots = Counter(limit("concurrency", 1, name="held"))
    assert isinstance(desk.take([slots]), Taken)
    for number in range(2000):
        desk.at_s = number / 1000
        desk.take([Counter(limit("requests", 1, "day"))])
    assert desk.file.words[layout.EVICTIONS] > 1000
    assert isinstance(desk.take([Counter(limit("concurrency", 1, name="held"))]), Refused)


def test_nothing_is_logged_while_all_is_well(
    desks: Callable[[], Desk], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counter = Counter(limit("requests", 10))
    for _ in range(3):
        desks().take([counter])
    assert caplog.text == ""

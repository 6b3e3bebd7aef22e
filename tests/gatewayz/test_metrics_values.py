"""Counters as values: sums over processes that live, died and were replaced; the text of it all."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from billing.books.records import Record
from gatewayz.metrics.board import SLOTS, Board, Loose, boards, clear, totals
from gatewayz.metrics.meter import Meter
from gatewayz.metrics.scrape import processes
from gatewayz.metrics.text import Family, render
from providers.attempts import Attempt
from providers.values import Usage
from tests.world.gateway import ROOT

COUNT = """
import os, sys
from pathlib import Path
from gatewayz.metrics.board import Board
board = Board(Path(sys.argv[1]))
board.counts[board.slot(("requests", "chat", "answered"))] += int(sys.argv[2])
board.counts[board.slot(("revision",))] = 7
os.write(1, b"x")
os.read(0, 1)
os._exit(0)
"""
KEY = ("requests", "chat", "answered")


def counting(folder: Path, count: int) -> "subprocess.Popen[bytes]":
    """Start a process that counts and stays."""
    command = [sys.executable, "-c", COUNT, str(folder), str(count)]
    child = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": "/bin"}
    )
    assert child.stdout is not None
    child.stdout.read(1)
    return child


def record(outcome: str = "answered", **more: object) -> Record:
    made = Attempt("groq", "x", 1, outcome, 200, 120)
    given = {"attempts": [made], "usage": Usage(10, 5), "duration_ms": 300, "provider": "groq"}
    return Record(
        request_id="r",
        at=0.0,
        account_id=1,
        key_id="k",
        endpoint="chat",
        asked_model="m",
        outcome=outcome,
        **given | more,
    )


def test_processes_are_counted_together_and_nothing_falls_when_one_is_killed(
    tmp_path: Path,
) -> None:
    first, second = counting(tmp_path, 3), counting(tmp_path, 4)
    sums, living = totals(tmp_path)
    assert (sums[KEY], len(living)) == (7, 2)
    first.kill()
    first.wait()
    sums, living = totals(tmp_path)
    assert (sums[KEY], len(living)) == (7, 1)
    third = counting(tmp_path, 5)
    sums, living = totals(tmp_path)
    assert (sums[KEY], len(living)) == (12, 2)
    assert len(boards(tmp_path)) == 2, "what the dead one counted lives on in the new one's"
    for child in (second, third):
        child.kill()
        child.wait()
    clear(tmp_path)
    assert totals(tmp_path) == ({}, [])


def test_a_board_that_is_full_counts_on_elsewhere(tmp_path: Path) -> None:
    board = Board(tmp_path)
    slots = {board.slot(("x", str(number))) for number in range(SLOTS + 10)}
    assert len(slots) == SLOTS
    assert board.slot(("y",)) == 0


def test_the_text_is_what_prometheus_reads(tmp_path: Path) -> None:
    meter = Meter(Board(tmp_path))
    for _ in range(3):
        meter.ended(record())
    meter.ended(record("failed", duration_ms=10**9, usage=None))
    meter.add(("errors", 'odd "code"\\\n'))
    meter.serves(42)
    found = {
        f.name: f for f in text_string_to_metric_families(render(processes(tmp_path)).decode())
    }
    requests = {s.labels["outcome"]: s.value for s in found["gatewayz_requests"].samples}
    assert requests == {"answered": 3, "failed": 1}
    (odd,) = found["gatewayz_errors"].samples
    assert odd.labels["code"] == 'odd "code"\\\n'
    whole = found["gatewayz_request_duration_seconds"]
    assert whole.type == "histogram"
    buckets = {s.labels["le"]: s.value for s in whole.samples if s.name.endswith("_bucket")}
    assert (buckets["0.25"], buckets["0.5"], buckets["300"], buckets["+Inf"]) == (0, 3, 3, 4)
    attempts = {s.name: s.value for s in found["gatewayz_attempt_duration_seconds"].samples}
    assert attempts["gatewayz_attempt_duration_seconds_count"] == 4
    assert attempts["gatewayz_attempt_duration_seconds_sum"] == pytest.approx(0.48)
    tokens = {s.labels["side"]: s.value for s in found["gatewayz_tokens"].samples}
    assert tokens == {"prompt": 30, "completion": 15}
    assert [s.value for s in found["gatewayz_revision"].samples] == [42]


def test_a_family_without_samples_is_still_named() -> None:
    assert render([Family("x", "gauge", "Says.")]) == b"# HELP x Says.\n# TYPE x gauge\n"


def test_counting_a_request_costs_microseconds(tmp_path: Path) -> None:
    meter, one = Meter(Board(tmp_path)), record()
    meter.ended(one)
    began = time.process_time()
    for _ in range(10_000):
        meter.ended(one)
    cost_us = (time.process_time() - began) / 10_000 * 1e6
    assert cost_us < 30, cost_us


def test_without_a_board_it_counts_for_nobody() -> None:
    board = Loose()
    Meter(board).ended(record())
    assert board.counts[KEY] == 1

"""The guard against regressions counts what it says, and tells a rise from noise."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import guard
from benchmarks.callgrind import Counted, missing
from benchmarks.lockstep import Broken, Client, Pair, Upstream, chat
from tests.world.gateway import Gateway

LOOPS = """
import socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
while line.recv(1):
    sum(range(100_000))
    line.send(b".")
"""


def test_a_rise_of_more_than_ten_percent_is_told():
    before = {"request": 1000, "chunk": 100}
    assert guard.rises({"request": 1100, "chunk": 100}, before) == []
    assert guard.rises({"request": 1101, "chunk": 90, "new": 5}, before) == ["request"]


def test_the_table_shows_what_changed():
    told = guard.table({"request": 1100, "new": 5}, {"request": 1000}).splitlines()
    assert told[2:] == ["| request | 1,000 | 1,100 | +10.0% |", "| new |  | 5 | new |"]


def test_not_having_run_is_loud_and_no_success(capsys):
    assert guard.not_run("valgrind: not installed") == 3
    assert "DID NOT RUN: valgrind: not installed" in capsys.readouterr().err


@pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}")
def test_the_same_work_counts_the_same(tmp_path: Path):
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", LOOPS, str(theirs.fileno())]
    with Counted(command, tmp_path, {}, tmp_path, [theirs.fileno()]) as process:
        laps = []
        for turn in range(4):
            ours.send(b".")
            ours.recv(1)
            laps.append(process.lap() if turn else process.begin())
    _, *counted = laps
    assert min(counted) > 1_000_000
    assert max(counted) < min(counted) * 1.02


class Turns:
    """Counts exchanges in place of instructions: every lap is as long as the one before."""

    def begin(self) -> None: ...

    def lap(self) -> int:
        return 10


@pytest.fixture
def pair(gateway: Gateway) -> Iterator[Pair]:
    with closing(Upstream()) as upstream:
        gateway.provider(upstream.url, ["acme/chat"])
        with Pair(upstream, Client(("127.0.0.1", gateway.port), gateway.key)) as both:
            yield both


def test_a_served_gateway_goes_through_the_whole_scenario(pair: Pair):
    figures = guard.scenario(Turns(), pair)
    assert set(figures.values()) == {1}
    assert {"request", "chunk of a stream", "refused key"} <= set(figures)


def test_an_answer_that_is_not_the_expected_one_ends_the_count(pair: Pair):
    with pytest.raises(Broken, match=r"HTTP/1.1 404"):
        pair.got("/v1/nothing", {}, 200)
    with pytest.raises(Broken, match=r"HTTP/1.1 404"):
        pair.refused(pair.client.key, chat(words=0).replace(b"acme/chat", b"nobody"))

"""The benchmarks measure what they say they do."""

import json
import os
from dataclasses import replace

import pytest

from benchmarks import bars, plot, results, soak, upstream
from benchmarks.measures import run
from benchmarks.measures.latency import Delays, at_half_load, one_by_one
from benchmarks.measures.memory import waiting
from benchmarks.measures.requests import BODY, closed_loop, whole
from benchmarks.measures.streams import relay
from benchmarks.peers import SHORT, Aim, Target, litellm
from benchmarks.stall import Stalls, waits_s
from tests.world.processes import rss_bytes

FOUND = {
    bars.OWN: {"request_us": 225.0, "per_s": 4000.0, "chunk_us": 45.0},
    litellm.NAME: {"request_us": 9000.0, "chunk_us": 2000.0},
}
nginx_is_there = pytest.mark.skipif(upstream.NGINX is None, reason="nginx is not installed")


def here(url: str) -> Target:
    """Return an upstream as if it were a gateway in this process."""
    aim = Aim(f"{url}/chat/completions")
    return Target("upstream", aim, aim, os.getpid())


@nginx_is_there
def test_whole_answers_are_counted():
    with upstream.fixed() as url:
        aim = here(url).fixed
        assert run(closed_loop(aim, 0.3, BODY, "POST", 8)) > 50


@nginx_is_there
def test_delays_of_one_connection_and_of_an_open_loop_are_told():
    with upstream.fixed() as fixed, upstream.streaming() as streaming:
        one = one_by_one(here(fixed).fixed, 0.3)
        answers, tokens = at_half_load(here(fixed).fixed, here(streaming).streaming, 100, 0.5)
    assert 0 < one.p50 <= one.p99 <= one.p999
    assert 20 < answers.count < 100
    assert 1 <= tokens.count < 20
    assert tokens.p50 < 1000


def test_chunks_are_counted_and_their_delay_is_known():
    with upstream.streaming() as url:
        relayed = relay(here(url), 0.3, request_us=6000)
    assert relayed.streams == 20
    assert 0.5 < relayed.share < 1.5
    assert 0 <= relayed.median_ms <= relayed.p99_ms


def test_open_streams_are_held_until_each_has_begun() -> None:
    with upstream.streaming() as url:
        target = here(url)
        assert run(waiting(target, 20, rss_bytes(target.pid))) < 1000


def test_a_stream_is_as_long_as_its_model_says():
    with upstream.streaming() as url:
        _, tokens = at_half_load(here(url).streaming, here(url).streaming, 20, 0.3)
    assert tokens.count > 0
    assert SHORT.endswith("stream-5-20")


def test_a_delay_is_counted_from_when_the_request_was_due():
    floor, slow = Delays.of([0.001] * 99 + [0.002]), Delays.of([0.002] * 50 + [0.010] * 50)
    assert (floor.p50, floor.p99) == (1.0, 2.0)
    assert slow.over(floor) == Delays(9.0, 8.0, 8.0, 100)


@pytest.mark.parametrize(
    ("received", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_the_end_of_an_answer_is_known(received: bytes, complete: bool):
    assert whole(received) is complete


def test_the_table_tells_ratios_to_the_bars_and_what_is_missing():
    rows = {line.split(" | ")[0][2:]: line for line in results.table(FOUND).splitlines()}
    request = rows["CPU per chat request"]
    assert "1/30 of LiteLLM: 300 us; 1/3 of Portkey, which is missing | 0.75 |" in request
    assert request.endswith("| 230 us reached |")
    assert "1/20 of LiteLLM: 100 us | 0.45 |" in rows["CPU per streamed chunk, 20 ms apart"]


def test_a_bar_that_is_missed_is_shown_as_missed():
    slow = FOUND | {bars.OWN: {"request_us": 330.0}}
    assert "| 1.10 **missed** |" in results.table(slow)


def test_what_could_not_be_measured_is_listed_with_its_reason():
    assert results.told([], {"Portkey": "node is not installed"}) == (
        "- MISSING Portkey: node is not installed"
    )


def test_the_picture_has_a_bar_per_figure():
    picture = plot.svg(FOUND)
    assert picture.count("<rect") == 1 + 4
    assert "LiteLLM" in picture


def test_a_run_writes_its_own_section_anew_and_all_else_on_the_page_stays(tmp_path, monkeypatch):
    page = tmp_path / "RESULTS.md"
    monkeypatch.setattr(results, "PAGE", page)
    results.write_section("soak", "first")
    page.write_text(page.read_text() + "\nWhat it means.\n")
    results.write_section("scale", "large")
    results.write_section("soak", "second")
    lines = [line for line in page.read_text().splitlines() if line and line[0] != "<"]
    assert lines == ["# Results", "second", "What it means.", "large"]


def test_a_soak_compares_the_window_after_the_warm_up_with_the_last():
    def sample(at_s: float, mb: float) -> soak.Sample:
        return soak.Sample(at_s, int(mb * soak.MB), 20, 9)

    rest = sample(0, 100)
    flat = [sample(at, 100 + min(at, 10)) for at in range(101)]
    grown = [sample(at, 100 + at / 5) for at in range(101)]
    assert soak.judged(flat, rest, rest).good
    assert not soak.judged(grown, rest, rest).good
    left = soak.Sample(0, 0, 20 + soak.MOST_LEFT + 1, 9)
    assert not soak.judged(flat, rest, left).good
    assert replace(soak.judged(flat, rest, rest), late=1, rounds=20).good
    assert not replace(soak.judged(flat, rest, rest), late=2, rounds=20).good


def test_a_stall_holds_those_who_come_during_it():
    assert waits_s([1.0], 1000, 0.001) < 0.001
    assert waits_s([2.0], 1000, 0.001) == pytest.approx(1.0, abs=0.01)
    assert Stalls.of([], 1) == Stalls(0, 0)
    assert json.loads(BODY)["model"] == "acme/fixed"

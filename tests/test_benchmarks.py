"""The benchmarks measure what they say they do."""

import asyncio
import os

import pytest

from benchmarks import upstream
from benchmarks.requests import closed_loop
from benchmarks.results import Result, table
from benchmarks.streams import GAP_MS, Relayed, chunks_for, relay
from benchmarks.targets import Target


@pytest.mark.skipif(upstream.NGINX is None, reason="nginx is not installed")
def test_whole_answers_are_counted():
    with upstream.fixed() as url:
        target = Target("upstream", f"{url}/chat/completions", "", "none", os.getpid())
        assert asyncio.run(closed_loop(target, 0.3)) > 100


def test_chunks_are_counted_and_their_delay_is_known():
    with upstream.streaming(chunks=chunks_for(0.3), gap_ms=GAP_MS) as url:
        target = Target("upstream", "", f"{url}/chat/completions", "none", os.getpid())
        relayed = relay(target, 0.3)
    assert 0.5 < relayed.share < 1.5
    assert 0 <= relayed.median_ms < 50
    assert relayed.median_ms <= relayed.p99_ms


def test_the_table_tells_ratios_to_the_bars():
    rows = {
        "gateway": Result(225.0, 4000.0, Relayed(45.0, 0.5, 2.0, 1.0)),
        "nothing in between": Result(relayed=Relayed(None, 0.1, 0.2, 1.0)),
    }
    *_, gateway, nothing = table(rows).splitlines()
    assert gateway == "| gateway | 225 us | 0.50 | 4000 | 45 us | 0.50 | 0.50 ms | 2.00 ms |"
    assert nothing == "| nothing in between |  |  |  |  |  | 0.10 ms | 0.20 ms |"

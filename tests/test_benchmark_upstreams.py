"""The upstreams of the benchmarks answer what they say they do."""

import json
import time

import httpx
import pytest

from benchmarks import upstream


@pytest.mark.skipif(upstream.NGINX is None, reason="nginx is not installed")
def test_nginx_answers_one_kilobyte():
    with upstream.fixed() as url:
        answer = httpx.post(f"{url}/chat/completions", json={"model": "m", "pad": "x" * 100_000})
    assert len(answer.content) == 1024
    assert answer.json()["usage"]["total_tokens"] == 159


def test_chunks_keep_their_pace_and_tell_when_they_left():
    with (
        upstream.streaming(chunks=10, gap_ms=10) as url,
        httpx.stream("POST", f"{url}/chat/completions", json={"model": "m"}) as answer,
    ):
        came = [(line[6:], time.monotonic()) for line in answer.iter_lines() if line]
    assert came[-1][0] == "[DONE]"
    assert json.loads(came[-2][0])["usage"]["completion_tokens"] == 10
    left = [float(json.loads(data)["choices"][0]["delta"]["content"]) for data, _ in came[:-2]]
    assert 0.08 < left[-1] - left[0] < 0.2
    assert all(0 <= at - sent < 0.05 for sent, (_, at) in zip(left, came, strict=False))

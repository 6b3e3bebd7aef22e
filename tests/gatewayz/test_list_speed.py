"""13,850 models in a list: what a request for it costs the process that serves it."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from benchmarks.processors import cpu_s
from tests.world.gateway import Gateway
from tests.world.stock import fill

MODELS = 13_850
KNOWN_MS, WHOLE_MS = 1.0, 5.0
SLOW_MACHINE = 3


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory, migrated: Path):
    with Gateway(tmp_path_factory.mktemp("gateway"), template=migrated) as served:
        fill(served, MODELS)
        yield served


@pytest.fixture
def costs(stocked: Gateway) -> Callable[..., float]:
    [pid] = stocked.worker_pids()

    def cost_ms(path: str, count: int, **headers: str) -> float:
        """Return the CPU per request, user and system, in milliseconds."""
        with httpx.Client(base_url=stocked.url, trust_env=False, timeout=30) as client:
            client.get(path, headers=headers)
            before = cpu_s(pid)
            for _ in range(count):
                client.get(path, headers=headers)
            return (cpu_s(pid) - before) / count * 1e3

    return cost_ms


@pytest.mark.timeout(120)
def test_a_known_list_costs_less_than_a_millisecond(
    stocked: Gateway, costs: Callable[..., float]
) -> None:
    answer = httpx.get(f"{stocked.url}/v1/models", trust_env=False, timeout=30)
    assert answer.json()["total"] >= MODELS
    cost = costs("/v1/models", 200, **{"If-None-Match": answer.headers["etag"]})
    assert cost < KNOWN_MS * SLOW_MACHINE


def test_the_whole_list_costs_less_than_five(costs: Callable[..., float]) -> None:
    assert costs("/v1/models", 20, **{"Accept-Encoding": "identity"}) < WHOLE_MS * SLOW_MACHINE
    assert costs("/v1/models", 50, **{"Accept-Encoding": "gzip"}) < WHOLE_MS


def test_searching_and_a_name_that_nobody_has_do_not_hold_up_others(
    costs: Callable[..., float],
) -> None:
    assert costs("/v1/models?q=stok+1234+instuct&limit=20", 10) < 20 * SLOW_MACHINE
    assert costs("/v1/models/org-5/Stok-123-70B-Instruct", 10) < 20 * SLOW_MACHINE

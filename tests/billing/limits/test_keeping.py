"""What is done beside the requests, and that no request waits for it."""

import socket
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

import pytest

from billing.limits import layout
from billing.limits.counters import Counter
from billing.limits.counting import Taken
from billing.limits.keeping import Keeper
from tests.billing.limits.bench import Desk, limit


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_one_process_of_a_node_leads_and_another_follows_it(desks: Callable[[], Desk]) -> None:
    first, second = (Keeper(desks().limits, "") for _ in range(2))
    for keeper in (first, second):
        keeper.keep()
    assert (first.leading, second.leading) == (True, False)
    first.stop()
    second.keep()
    assert second.leading
    second.stop()


def test_a_redis_that_is_silent_slows_no_request_and_is_told(desk: Desk, silent: str) -> None:
    desk.file.words[layout.NODES] = 2
    keeper = Keeper(desk.limits, silent)
    keeper.start()
    counter = Counter(limit("requests", 10**9))
    took_s = []
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        began = time.monotonic()
        assert isinstance(desk.take([counter]), Taken)
        took_s.append(time.monotonic() - began)
        time.sleep(0.001)
    assert quantiles(took_s, n=10)[-1] < 0.005
    assert desk.file.words[layout.STATE] == layout.CUT_OFF
    assert keeper.troubles() == ["Redis does not answer: limits are split evenly for 2 nodes"]
    assert keeper.figures()["cuts"] == 1
    keeper.stop()


def test_more_limits_than_are_counted_are_told(desk: Desk) -> None:
    keeper = Keeper(desk.limits, "")
    assert keeper.troubles() == []
    for _ in range(500):
        desk.take([Counter(limit("requests", 1, "day"))])
    assert "GATEWAYZ_LIMIT_COUNTERS" in keeper.troubles()[0]
    keeper.stop()

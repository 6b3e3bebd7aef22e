"""A request whose key is known asks no database and no other thread."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import ROOT, Gateway


@pytest.fixture(scope="module")
def seen(gateway: Gateway) -> dict[str, Any]:
    """What each request of the probe caused. Its watching threads sleep: every query counts."""
    model = unique("chat")
    with Upstream() as up:
        gateway.provider(up, [model])
        command = [sys.executable, "-m", "tests.gatewayz.path_probe", model, gateway.key]
        asleep = dict.fromkeys(("GATEWAYZ_POLL_INTERVAL_S", "GATEWAYZ_LEASE_LOOK_S"), "3600")
        env = gateway.env | asleep
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        assert up.connections == 1
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["answer", "stream", "models", "model", "health", "readyz"])
def test_nothing_is_asked_and_nothing_hops(seen: dict[str, Any], name: str) -> None:
    assert seen[name]["status"] == 200
    assert seen[name]["breaches"] == []


def test_the_stream_was_one(seen: dict[str, Any]) -> None:
    assert seen["stream"]["text"].endswith("data: [DONE]\n\n")


def test_a_refusal_asks_nobody_either(seen: dict[str, Any]) -> None:
    assert (seen["refusal"]["status"], seen["refusal"]["breaches"]) == (404, [])
    assert (seen["malformed key"]["status"], seen["malformed key"]["breaches"]) == (401, [])


def test_a_key_that_is_new_is_looked_up_in_a_thread_of_its_own(seen: dict[str, Any]) -> None:
    assert seen["new key"]["status"] == 401
    queries = [breach for breach in seen["new key"]["breaches"] if "execute" in breach]
    assert queries
    assert all(" in keys_" in query for query in queries)

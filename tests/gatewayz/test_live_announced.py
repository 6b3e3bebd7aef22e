"""With Valkey an edit is announced; without it, or when it dies, processes look by themselves."""

import time

import pytest

from tests.servers import valkey
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

POLL_S = 4.0

pytestmark = pytest.mark.timeout(90)


def arrival_s(gateway: Gateway, lines, patience_s: float) -> float:
    """Save a row; return how long it took to reach every worker."""
    gateway.apply({"version": 1, "aliases": {"news": f"echo-{time.monotonic_ns()}"}}, settle=False)
    saved = time.monotonic()
    wanted = gateway.rows("SELECT number FROM catalog_state")[0]["number"]
    while time.monotonic() - saved < patience_s:
        if all(line.get("/readyz").json()["revision"] >= wanted for line in lines.values()):
            return time.monotonic() - saved
        time.sleep(0.02)
    return patience_s


def test_an_edit_is_announced_and_polling_goes_on_without_the_announcer(gateways) -> None:
    with valkey() as url:
        env = {"GATEWAYZ_POLL_INTERVAL_S": str(POLL_S)}
        gateway = gateways(workers=2, redis_url=url, env=env)
        with line_per_worker(gateway) as lines:
            took = [arrival_s(gateway, lines, 2 * POLL_S) for _ in range(3)]
            assert max(took) < 1.0
    with line_per_worker(gateway) as lines:
        assert arrival_s(gateway, lines, 3 * POLL_S) < 2 * POLL_S
        body = {"model": "echo", "messages": [{"role": "user", "content": "still here"}]}
        for line in lines.values():
            answer = line.post("/v1/chat/completions", json=body)
            assert answer.json()["choices"][0]["message"]["content"] == "still here"
            assert line.get("/readyz").status_code == 200

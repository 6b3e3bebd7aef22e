"""While the database is away, known keys are served on, and nothing is lost when it is back."""

import time
from collections.abc import Callable

import psycopg
import pytest

from tests.gatewayz.refusals import error_of
from tests.gatewayz.test_crash import rows_of, wait_until
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway

CHAT = "/v1/chat/completions"
NOTICE_S = 40  # at most until a process says that it is not ready; it is some ten seconds


class Outage:
    """Takes a database away from everybody, and gives it back."""

    def __init__(self, url: str) -> None:
        self._server, _, self._name = url.rpartition("/")

    def begin(self) -> None:
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'"
        )

    def end(self) -> None:
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    def _run(self, sql: str) -> None:
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(sql)


@pytest.mark.timeout(180)
def test_known_keys_are_served_from_memory(
    gateways: Callable[..., Gateway], postgres_url: str, upstream: Upstream
) -> None:
    url = new_database(postgres_url)
    gateway, model, outage = gateways(database_url=url), unique("chat"), Outage(url)
    gateway.provider(upstream, [model])
    chat = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    second = {"authorization": f"Bearer {gateway.issue_key()}"}
    gateway.steward.stop()
    gateway.settle()  # what was changed last makes processes forget keys, and give money back
    wait_until(lambda: gateway.http.post(CHAT, json=chat).status_code == 200)

    outage.begin()
    began = time.monotonic()
    answers = 0
    while gateway.ready():
        assert gateway.http.post(CHAT, json=chat).status_code == 200
        answers += 1
        assert time.monotonic() - began < NOTICE_S
        time.sleep(0.2)
    unready = gateway.fresh("/readyz")
    assert unready.status_code == 503
    assert "database" in unready.text
    assert gateway.fresh("/livez").status_code == 200
    assert gateway.fresh("/health").json()["status"] == "degraded"
    assert gateway.http.post(CHAT, json=chat).status_code == 200
    error = error_of(gateway.http.post(CHAT, json=chat, headers=second), 503)
    assert error["code"] == "no_provider_available"

    outage.end()
    wait_until(gateway.ready, NOTICE_S)
    wait_until(lambda: gateway.http.post(CHAT, json=chat, headers=second).status_code == 200)
    upstream_saw = len(upstream.requests)
    wait_until(lambda: len(rows_of(gateway)) == upstream_saw)
    assert answers > 5

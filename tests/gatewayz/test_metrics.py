"""GET /metrics on the served gateway: all its processes, its syncs, alerts, journals, revision."""

import os
import signal
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gatewayz.test_crash import wait_until
from tests.upstreams.errors import error
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway
from tests.world.lines import line_per_worker

TOKEN = "metrics-secret"
RAISE = """
from catalog.alerts.raising import raise_alert
raise_alert("budget", "Acme", "spent", at_once=False)
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    env = {"GATEWAYZ_METRICS_TOKEN": TOKEN}
    with Gateway(folder, template=migrated, workers=2, env=env) as gateway:
        yield gateway


def scraped(gateway: Gateway, client: httpx.Client | None = None) -> Callable[..., float]:
    """Return a look-up of samples: `value("name_total", provider="x")`, 0 where there is none."""
    answer = (client or httpx.Client(trust_env=False, timeout=20)).get(
        f"{gateway.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [s for f in text_string_to_metric_families(answer.text) for s in f.samples]

    def value(name: str, **labels: str) -> float:
        fits = [s for s in samples if s.name == name and labels.items() <= s.labels.items()]
        return sum(s.value for s in fits)

    return value


def test_every_worker_tells_what_all_of_them_counted(served: Gateway, upstream: Upstream) -> None:
    served.provider(upstream, ["m-good"], slug="acme")
    body = {"model": "m-good", "messages": [{"role": "user", "content": "hi"}]}
    before = scraped(served)
    with line_per_worker(served) as lines:
        for line in lines.values():
            assert line.post("/v1/chat/completions", json=body).status_code == 200
        upstream.reply(error("openai", 500))
        for line in lines.values():
            assert line.post("/v1/chat/completions", json=body).status_code == 502
            assert line.get("/v1/models", params={"limit": "x"}).status_code == 400
        seen = [scraped(served, line) for line in lines.values()]
    for value in seen:
        assert value("gatewayz_attempts_total", provider="acme", outcome="answered") == 2
        assert value("gatewayz_attempt_duration_seconds_count", provider="acme") == 4
        failed = value("gatewayz_attempts_total", provider="acme")
        assert failed == 4
        assert value("gatewayz_requests_total", outcome="failed") == 2
        assert value("gatewayz_errors_total", code="invalid_request") == 2
        assert value("gatewayz_tokens_total", provider="acme", side="prompt") > 0
        assert value("gatewayz_web_processes") == 2
    assert before("gatewayz_requests_total") == 0


def test_revision_syncs_alerts_and_journals(served: Gateway) -> None:
    served.manage("shell", "--no-imports", "-c", RAISE)
    (state,) = served.rows("SELECT number FROM catalog_state")
    wait_until(lambda: scraped(served)("gatewayz_alerts_firing", kind="budget") == 1, 10)
    value = scraped(served)
    assert value("gatewayz_revision") == state["number"]
    assert value("gatewayz_database_revision") == state["number"]
    assert value("gatewayz_journal_writable") == 1
    wait_until(lambda: scraped(served)("gatewayz_journal_unbooked_bytes") == 0, 10)
    served.manage("sync_catalog", "groq", check=False)  # no credential: it fails
    failed = {"provider": "groq", "state": "failed"}
    wait_until(lambda: scraped(served)("gatewayz_sync_state", **failed) == 1, 10)


def test_nothing_is_lost_when_a_worker_is_killed(served: Gateway, upstream: Upstream) -> None:
    served.provider(upstream, ["m-kill"], slug="killed")
    body = {"model": "m-kill", "messages": [{"role": "user", "content": "hi"}]}
    with line_per_worker(served) as lines:
        for line in lines.values():
            line.post("/v1/chat/completions", json=body)
        pid = next(iter(lines))
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in served.worker_pids() and len(served.worker_pids()) == 2, 30)
    wait_until(lambda: scraped(served)("gatewayz_web_processes") == 2, 30)
    assert scraped(served)("gatewayz_attempts_total", provider="killed") == 2


@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer é"])
def test_its_token_is_wanted(served: Gateway, sent: str | None) -> None:
    headers = {"Authorization": sent.encode()} if sent else {}
    answer = httpx.get(f"{served.url}/metrics", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert TOKEN not in answer.text


def test_without_a_token_anybody_may_read(gateway: Gateway) -> None:
    answer = gateway.fresh("/metrics")
    assert answer.status_code == 200
    assert "# TYPE gatewayz_requests_total counter" in answer.text
    page = httpx.get(f"{gateway.url}/metrics", headers={"Accept": "text/html"}, trust_env=False)
    assert page.headers["content-type"].startswith("text/plain")

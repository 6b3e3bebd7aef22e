"""A crash loses nothing: every answered request has one usage row, and the balance fits."""

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.upstreams.chat import Chat
from tests.upstreams.server import Upstream
from tests.world.config import UNLIMITED, unique
from tests.world.gateway import Gateway
from tests.world.processes import descendants

CLIENTS = 8
CREDIT_NANO = 1000 * 10**9
COST_NANO = 9 * 500 + 12 * 1500
COMMANDS = ("run_web", "book_usage", "run_worker")


class Load:
    """Clients that ask, streamed and not, until they are stopped; a broken answer is tried anew.

    answered: the ids of complete answers; begun: of streams whose first byte came.
    """

    def __init__(self, gateway: Gateway, model: str) -> None:
        self.answered: set[str] = set()
        self.begun: set[str] = set()
        self.broken = 0
        self._gateway, self._model = gateway, model
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(n % 2 == 0,)) for n in range(CLIENTS)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, stream: bool) -> None:
        bearer = {"authorization": f"Bearer {self._gateway.key}"}
        url = f"{self._gateway.url}/v1/chat/completions"
        chat = {"messages": [{"role": "user", "content": "hi"}], "stream": stream}
        with httpx.Client(headers=bearer, trust_env=False, timeout=10) as client:
            while not self._stop.is_set():
                try:
                    with client.stream("POST", url, json=chat | {"model": self._model}) as answer:
                        self._read(answer, stream)
                except httpx.TransportError:
                    self.broken += 1
                    time.sleep(0.02)

    def _read(self, answer: httpx.Response, stream: bool) -> None:
        if answer.status_code != 200:
            return
        request_id, text = answer.headers["x-request-id"], b""
        for piece in answer.iter_raw():
            text += piece
            if stream:
                self.begun.add(request_id)
        if not stream or text.endswith(b"[DONE]\n\n"):
            self.answered.add(request_id)


def running(gateway: Gateway, command: str) -> list[int]:
    assert gateway.process is not None
    found = []
    for pid in descendants(gateway.process.pid):
        with suppress(OSError):
            found += [pid] if Path(f"/proc/{pid}/comm").read_text() == f"{command}\n" else []
    return found


def wait_until(true: Callable[[], bool], timeout_s: float = 20.0) -> None:
    until = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def rows_of(gateway: Gateway) -> dict[str, str]:
    """Return each request's outcome; AssertionError if one has two rows."""
    rows = gateway.rows("SELECT request_id, outcome FROM billing_usagerow")
    found = {row["request_id"]: row["outcome"] for row in rows}
    assert len(found) == len(rows)
    return found


def settled(gateway: Gateway) -> None:
    """Book what is left, the gateway being stopped, and prove the balances."""
    gateway.run("book_usage", "--once")
    (money,) = gateway.rows(
        "SELECT balance_nano, (SELECT SUM(cost_nano) FROM billing_usagerow) AS cost"
        " FROM billing_account"
    )
    assert money["balance_nano"] == CREDIT_NANO - money["cost"]
    assert list((gateway.folder / "journal").glob("*.jsonl")) == []


@pytest.fixture
def up() -> Iterator[Upstream]:
    with Upstream() as up:
        up.reply(Chat("one two three four", delay_s=0.004))
        yield up


@pytest.mark.timeout(120)
def test_kill_9_under_load_loses_no_answered_request(
    gateways: Callable[..., Gateway], up: Upstream
) -> None:
    gateway, model = gateways(workers=2), unique("chat")
    gateway.apply(UNLIMITED)
    gateway.provider(up, [model])
    with Load(gateway, model) as load:
        for command in ("run_web", "book_usage", "run_web", "run_worker"):
            time.sleep(1.0)
            victim = running(gateway, command)[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda v=victim, c=command: v not in running(gateway, c))  # type: ignore[misc]
            wait_until(lambda c=command: bool(running(gateway, c)))  # type: ignore[misc]
        time.sleep(1.0)
        assert gateway.process is not None
        gateway.process.kill()
    assert load.broken
    before = len(load.answered)
    gateway.start()
    with Load(gateway, model) as more:
        time.sleep(1)
    assert gateway.stop() == 0
    settled(gateway)
    rows = rows_of(gateway)
    answered = load.answered | more.answered
    assert before > 100
    assert more.answered
    assert answered <= rows.keys()
    assert load.begun | more.begun <= rows.keys()
    assert {rows[request_id] for request_id in answered} == {"answered"}
    assert "interrupted" in rows.values()


@contextmanager
def full_disk(pid: int, room: int, folder: Path) -> Iterator[None]:
    """Let a process write no file beyond the size of its journal and `room`."""
    size = max(path.stat().st_size for path in folder.glob("*.jsonl"))
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + room, unlimited))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it was killed meanwhile
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))


def test_a_full_disk_refuses_requests_and_loses_none(
    gateways: Callable[..., Gateway], up: Upstream
) -> None:
    gateway, model = gateways(), unique("chat")
    gateway.provider(up, [model])
    chat = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    path = "/v1/chat/completions"
    (pid,) = gateway.worker_pids()
    ids = [gateway.http.post(path, json=chat).raise_for_status().headers["x-request-id"]]
    with full_disk(pid, 100, gateway.folder / "journal"):
        unsold = gateway.http.post(path, json=chat)  # there is no room for its line
        assert unsold.status_code == 503
        assert "cannot be recorded" in unsold.json()["error"]["message"]
        sent = len(up.requests)
        for _ in range(3):
            refused = gateway.http.post(path, json=chat)
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "no_provider_available"
            assert refused.headers["retry-after"] == "5"
        assert len(up.requests) == sent
        assert gateway.fresh("/livez").status_code == 200
        unready = gateway.fresh("/readyz")
        assert unready.status_code == 503
        assert "journal" in unready.text
    wait_until(gateway.ready, 5)
    ids.append(gateway.http.post(path, json=chat).raise_for_status().headers["x-request-id"])
    assert gateway.stop() == 0
    settled(gateway)
    rows = rows_of(gateway)
    assert rows.pop(unsold.headers["x-request-id"]) == "failed"
    assert rows == dict.fromkeys(ids, "answered")
    sides = gateway.rows(
        "SELECT kind, SUM(amount_nano) AS nano FROM ledger_posting p JOIN ledger_ledgeraccount a"
        " ON a.id = p.ledger_account_id GROUP BY kind"
    )
    nano = {row["kind"]: row["nano"] for row in sides}
    assert nano["revenue"] == 2 * COST_NANO
    assert nano["provider_cost"] == 3 * COST_NANO

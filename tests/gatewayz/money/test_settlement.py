"""What requests cost that did not go as they should: failed over, broken off, left, cut short."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gatewayz.streaming.line import ask as streaming
from tests.gatewayz.streaming.line import dialled
from tests.gatewayz.test_crash import full_disk, running, wait_until
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.chat import Chat, event, tokens
from tests.upstreams.faults import Close
from tests.upstreams.server import Upstream
from tests.upstreams.stream import Sse, Stream
from tests.world.config import unique
from tests.world.gateway import Gateway

INPUT, OUTPUT = 500, 1500  # nano-USD of a token: tests.world.config.PRICE
CHAT = Chat("One two three", usage=tokens(9, 12))
COST = 9 * INPUT + 12 * OUTPUT
HI = event({"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi there"}}]})
ROLE = event({"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant"}}]})
USAGE = event({"id": "1", "choices": [], "usage": tokens(9, 12)})


@dataclass
class Till:
    """A gateway with one account, and what the ledger says of it."""

    gateway: Gateway
    up: Upstream

    def model(self, *behaviours: Behaviour, **config: Any) -> str:
        """Return a model that these answer, each at a provider of its own, tried in this order."""
        model = unique("chat")
        for number, behaviour in enumerate(behaviours):
            upstream_id = f"{model}-{number}"
            self.up.models[upstream_id] = behaviour
            offer = {"id": model, "upstream_id": upstream_id}
            self.gateway.provider(self.up, [offer], priority=number + 1, **config)
        return model

    def ask(self, model: str, **rest: Any) -> Any:
        messages = [{"role": "user", "content": "hi"}]
        body = {"model": model, "messages": messages, "max_tokens": 50}
        return self.gateway.http.post("/v1/chat/completions", json=body | rest)

    def row(self, model: str) -> dict[str, Any]:
        """Wait until the one request for `model` is booked; return its row."""
        sql = "SELECT * FROM billing_usagerow WHERE asked_model = ?"
        wait_until(lambda: bool(self.gateway.rows(sql, model)))
        (row,) = self.gateway.rows(sql, model)
        return row

    def sides(self) -> dict[str, int]:
        rows = self.gateway.rows(
            "SELECT kind, SUM(amount_nano) AS nano FROM ledger_posting p"
            " JOIN ledger_ledgeraccount a ON a.id = p.ledger_account_id GROUP BY kind"
        )
        return {row["kind"]: row["nano"] for row in rows}

    @contextmanager
    def moving(self, **expected: int) -> Iterator[None]:
        """Expect that what happens inside moves these sides by so much; AssertionError if not."""
        rows = "SELECT COUNT(*) AS n FROM billing_usagerow"
        before, count = self.sides(), self.gateway.rows(rows)[0]["n"]
        yield
        wait_until(lambda: self.gateway.rows(rows)[0]["n"] > count)
        after = self.sides()
        names = ("revenue", "provider_cost")
        moved = {name: after.get(name, 0) - before.get(name, 0) for name in names}
        assert moved == {name: expected.get(name, 0) for name in names}
        assert self.gateway.rows(rows)[0]["n"] == count + 1
        self.gateway.manage("check_ledger")

    def started(self) -> "Till":
        """Serve, if it does not."""
        if self.gateway.process is None or self.gateway.process.ended:
            self.gateway.start()
        return self


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Callable[[], Till]]:
    """A gateway that may be broken: call it to have it serve.

    Not the one that all tests share: this file counts every row and checks the whole ledger.
    """
    folder = tmp_path_factory.mktemp("own")
    with Upstream() as up, Gateway(folder, template=migrated) as gateway:
        yield Till(gateway, up).started


@pytest.fixture
def till(own: Callable[[], Till]) -> Till:
    return own()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_charged_and_costs_us_the_price_without_markup(till: Till, stream: bool):
    model = till.model(CHAT)
    with till.moving(revenue=COST, provider_cost=COST):
        till.ask(model, stream=stream).raise_for_status()


def test_failover_charges_the_answer_and_records_what_the_others_may_cost_us(till: Till):
    model = till.model(Close(), CHAT, resend_maybe_billed=True)
    prompt = len(b'[{"role":"user","content":"hi"}]') // 4
    with till.moving(revenue=COST, provider_cost=COST + prompt * INPUT):
        till.ask(model).raise_for_status()
    attempts = json.loads(till.row(model)["attempts"])
    assert attempts[0]["cost_nano"] == prompt * INPUT


def test_an_attempt_that_is_not_billed_costs_nothing(till: Till):
    refused = Sse([event({"error": {"message": "overloaded", "code": 503}})])
    model = till.model(refused, CHAT)
    with till.moving(revenue=COST, provider_cost=COST):
        till.ask(model, stream=True).raise_for_status()


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_before_the_first_token_charges_nobody(till: Till, stream: bool):
    model = till.model(Close())
    prompt = len(b'[{"role":"user","content":"hi"}]') // 4
    with till.moving(provider_cost=prompt * INPUT):
        assert till.ask(model, stream=stream).status_code == 502
    assert till.row(model)["cost_nano"] == 0


def test_a_stream_that_breaks_before_its_first_token_charges_nobody(till: Till):
    model = till.model(Sse([ROLE], gap_s=0.2, then="reset"))
    with till.moving(provider_cost=8 * INPUT):
        assert "error" in till.ask(model, stream=True).text
    assert till.row(model)["outcome"] == "failed"


def test_a_stream_that_breaks_after_it_charges_what_came(till: Till):
    model = till.model(Sse([HI, HI], gap_s=0.1, then="reset"))
    with till.moving(revenue=8 * INPUT + 4 * OUTPUT, provider_cost=8 * INPUT + 4 * OUTPUT):
        assert "error" in till.ask(model, stream=True).text


def test_the_usage_of_a_stream_that_its_client_left_is_waited_for_a_moment(till: Till):
    model = till.model(Sse([HI, HI, USAGE], gap_s=0.2))
    with till.moving(revenue=COST, provider_cost=COST):
        leave_after(till, model, HI)
    row = till.row(model)
    assert (row["outcome"], row["status"], row["usage_source"]) == ("cancelled", 499, "upstream")


def test_an_explicit_zero_stays_zero(till: Till):
    model = till.model(Stream(Chat("free", usage=tokens(0, 0))))
    with till.moving():
        till.ask(model, stream=True).raise_for_status()
    row = till.row(model)
    assert (row["cost_nano"], row["usage_source"]) == (0, "upstream")


def leave_after(till: Till, model: str, event: bytes) -> None:
    with dialled(till.gateway, streaming(model)) as sock:
        came = b""
        while b"Hi there" not in came:
            came += sock.recv(65536)


def test_a_cost_above_the_hold_is_charged_and_the_account_may_end_below_zero(till: Till):
    model = till.model(Chat("much", usage=tokens(9, 5000)))
    cost = 9 * INPUT + 5000 * OUTPUT
    name = unique("poor")
    key = till.gateway.issue_key(name, "0.001")
    bearer = {"Authorization": f"Bearer {key}"}
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
    path = "/v1/chat/completions"
    with till.moving(revenue=cost, provider_cost=cost):
        till.gateway.http.post(path, json=body, headers=bearer).raise_for_status()
    sql = "SELECT balance_nano, held_nano FROM billing_account WHERE name = ?"
    assert till.gateway.rows(sql, name) == [{"balance_nano": 10**6 - cost, "held_nano": 0}]
    assert till.gateway.http.post(path, json=body, headers=bearer).status_code == 402


def test_a_stream_whose_beginning_cannot_be_recorded_is_not_given_out(own: Callable[[], Till]):
    till = own()
    model, refused = till.model(CHAT), till.model(CHAT)
    till.ask(model).raise_for_status()
    (pid,) = till.gateway.worker_pids()
    with full_disk(pid, 10, till.gateway.folder / "journal"):
        answer = till.ask(refused, stream=True)
        assert answer.status_code == 503
        assert "data:" not in answer.text
    wait_until(till.gateway.ready)
    till.ask(model, stream=True).raise_for_status()
    row = till.row(refused)
    assert (row["outcome"], row["cost_nano"]) == ("failed", 0)
    till.gateway.manage("check_ledger")


def test_a_killed_process_gives_its_lease_back_and_its_stream_is_charged(own: Callable[[], Till]):
    """Also if the bookkeeper was killed with it, and though a disk was full: what the journal says
    is what counts."""
    till = own()
    model = till.model(Sse([HI], then="silence"))
    held = "SELECT held_nano FROM billing_account"
    with dialled(till.gateway, streaming(model, max_tokens=50)) as sock:
        while b"Hi there" not in sock.recv(65536):
            pass
        assert till.gateway.rows(held)[0]["held_nano"] > 0
        (pid,) = till.gateway.worker_pids()
        with full_disk(pid, 0, till.gateway.folder / "journal"):
            for command in ("book_usage", "run_web"):
                os.kill(running(till.gateway, command)[0], signal.SIGKILL)
    wait_until(lambda: till.gateway.rows(held)[0]["held_nano"] == 0)
    row = till.row(model)
    assert (row["outcome"], row["usage_source"]) == ("interrupted", "estimated")
    assert row["cost_nano"] > 0
    till.gateway.manage("check_ledger")


def test_a_node_that_never_returns_is_released_by_hand(own: Callable[[], Till]):
    till = own()
    account = unique("lost")
    bearer = {"Authorization": f"Bearer {till.gateway.issue_key(account, '1')}"}
    messages = [{"role": "user", "content": "hi"}]
    body = {"model": till.model(CHAT), "messages": messages, "max_tokens": 50}
    wait_until(till.gateway.ready)
    for _ in range(2):
        till.gateway.http.post("/v1/chat/completions", json=body, headers=bearer)
    assert till.gateway.process is not None
    till.gateway.process.kill()
    node = (till.gateway.folder / "journal" / ".node").read_text()
    assert till.gateway.manage("release_leases").startswith(f"{node}  ")
    assert "No node other" in till.gateway.steward.run("release_leases", "--node", "other").stderr
    assert "leases released" in till.gateway.manage("release_leases", "--node", node)
    till.gateway.manage("check_ledger")
    sql = "SELECT held_nano, balance_nano FROM billing_account WHERE name = ?"
    assert till.gateway.rows(sql, account)[0]["held_nano"] == 0
    till.gateway.manage("book_usage", "--once")  # its journal comes back after all
    till.gateway.manage("check_ledger")
    assert till.gateway.rows(sql, account) == [{"held_nano": 0, "balance_nano": 10**9 - 2 * COST}]

"""Keys, receipts, organisations and logins on PostgreSQL, with two workers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tests.gatewayz.test_keys_api import JOIN, add
from tests.gatewayz.test_logins import rush
from tests.gatewayz.test_receipts import ANSWER, COST, january, receipt
from tests.servers import new_database
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway
from tests.world.keys import Holder, issue, public_id

ROWS = """
from datetime import UTC, datetime
from billing.models import Account, UsageRow
UsageRow.objects.create(request_id="old", created_at=datetime(2031, 1, 2, 23, tzinfo=UTC),
    account=Account.objects.get(name="lab"), key_id={key!r}, endpoint="chat", asked_model="a",
    model_id="a", status=200, outcome="failed", usage_source="none", cost_nano=0)
"""

pytestmark = pytest.mark.timeout(170)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("account")
    with Gateway(folder, workers=2, database_url=new_database(postgres_url)) as own:
        yield own


def test_a_holders_whole_way(gateway: Gateway, upstream: Upstream) -> None:
    upstream.reply(ANSWER)
    gateway.provider(upstream, ["acme/chat"], "acme")
    manager = Holder(gateway, issue(gateway, "lab", is_management=True))
    facts, token = add(manager, allowed_models=["acme/*"], denied_providers=["hug"])
    one = Holder(gateway, token)
    told = receipt(one, one.chat("acme/chat").headers["x-request-id"])
    assert Decimal(str(told["total_cost"])) == COST
    money = one.data("/v1/credits")
    assert Decimal(money["total_credits"]) - Decimal(money["total_usage"]) == Decimal(
        money["balance"]
    )
    assert Decimal(money["total_usage"]) == COST
    assert Decimal(str(one.data("/v1/key")["usage_daily"])) == COST
    gateway.manage("shell", "--no-imports", "-c", ROWS.format(key=facts["hash"]))
    assert january(one, group_by="date,model") == [("2031-01-02", "a", 1)]

    path = f"/v1/keys/{facts['hash']}"
    until = time.monotonic() + 2
    while manager.data(path)["last_used_at"] is None:
        assert time.monotonic() < until
    second = manager.http.post(f"{path}/rotate").json()["key"]
    assert {
        one.chat("acme/chat").status_code,
        Holder(gateway, second).chat("acme/chat").status_code,
    } == {200}
    manager.http.delete(path)
    time.sleep(1)
    assert {Holder(gateway, key).get("/v1/key").status_code for key in (token, second) * 4} == {401}


def test_an_organisation_reaches_its_accounts(gateway: Gateway) -> None:
    manager = Holder(gateway, issue(gateway, "front", is_management=True))
    other = public_id(issue(gateway, "back"))
    gateway.manage(
        "shell", "--no-imports", "-c", JOIN.format(name="Acme", accounts=["front", "back"])
    )
    assert manager.data(f"/v1/keys/{other}")["account"] == "back"
    assert manager.get("/v1/keys/%00").status_code == 404


def test_rotations_at_once_leave_two_secrets(gateway: Gateway) -> None:
    """Each is one after the other: the last two are good, none is lost between them."""
    manager = Holder(gateway, issue(gateway, "busy", is_management=True))
    facts, first = add(manager)
    path = f"/v1/keys/{facts['hash']}/rotate"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: manager.http.post(path), range(4)))
    tokens = [first, *(answer.json()["key"] for answer in answers)]
    assert len(set(tokens)) == 5
    time.sleep(1)
    good = [Holder(gateway, token).get("/v1/key").status_code for token in tokens]
    assert sorted(good) == [200, 200, 401, 401, 401]


def test_tries_of_passwords_are_counted_over_both_workers(gateway: Gateway) -> None:
    rush(gateway)

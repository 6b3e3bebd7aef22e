"""Money that key holders bring to the served gateway: by code and by card."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.servers import new_database
from tests.upstreams import stripe as shop
from tests.upstreams.server import Upstream
from tests.world.gateway import Gateway

DRAW = """
from billing.payments.codes import Batch, draw
print(draw(Batch("test", 1, {nano}, {uses}), "tests")[0])
"""
WORKERS = 2
REDEEM, CHECKOUT = "/v1/credits/redeem", "/v1/credits/checkout"


def code_of(gateway: Gateway, usd: int = 5, uses: int = 1) -> str:
    script = DRAW.format(nano=usd * 10**9, uses=uses)
    return gateway.manage("shell", "--verbosity", "0", "-c", script).strip()


def posted(gateway: Gateway, path: str, key: str = "", **how: Any) -> httpx.Response:
    """Post on a connection of its own, so that any worker may answer."""
    bearer = {"Authorization": f"Bearer {key or gateway.key}"}
    return httpx.post(gateway.url + path, headers=bearer, trust_env=False, timeout=30, **how)


def balance(gateway: Gateway, account: str) -> int:
    [row] = gateway.rows("SELECT balance_nano FROM billing_account WHERE name = ?", account)
    return int(row["balance_nano"])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Any
) -> Iterator[Gateway]:
    """Several workers, and a database that they share."""
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"))
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, workers=WORKERS, database_url=url, template=migrated) as gateway:
        yield gateway


def at_once(gateway: Gateway, code: str, keys: list[str]) -> list[int]:
    with ThreadPoolExecutor(len(keys)) as pool:
        tried = pool.map(lambda key: posted(gateway, REDEEM, key, json={"code": code}), keys)
        return sorted(answer.status_code for answer in tried)


def test_a_code_is_redeemed_once_however_many_try_at_once(crowded: Gateway) -> None:
    names = [f"account {n}" for n in range(4)]
    keys = [crowded.issue_key(name, "1") for name in names]
    code = code_of(crowded)
    assert at_once(crowded, code, keys * 3) == [200] + [400] * 11
    assert sum(balance(crowded, name) for name in names) == 9 * 10**9
    assert "The ledger is right" in crowded.manage("check_ledger")


def test_an_account_redeems_a_code_for_many_once(crowded: Gateway) -> None:
    keys = [crowded.issue_key("alone", "1") for _ in range(2)]
    code = code_of(crowded, uses=100)
    assert at_once(crowded, code, keys * 4) == [200] + [400] * 7
    assert balance(crowded, "alone") == 7 * 10**9
    [row] = crowded.rows("SELECT uses FROM payments_promotioncode ORDER BY id DESC LIMIT 1")
    assert row["uses"] == 1


def test_redeeming_answers_with_the_amount_and_the_balance(gateway: Gateway) -> None:
    key = gateway.issue_key("redeemer", "1")
    answer = posted(gateway, REDEEM, key, json={"code": code_of(gateway)})
    assert answer.json() == {"data": {"amount": "5.000000000", "balance": "6.000000000"}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"[]", None),
        (b'{"code": 5}', "code"),
        (b"{}", "code"),
        (b'{"code": "x", "account": 1}', None),
        (b'{"code": "\xff"}', None),
        (b'{"code": ' + b"[" * 9000, None),
    ],
    ids=lambda given: repr(given)[:20],
)
def test_an_odd_body_is_a_400(gateway: Gateway, body: bytes, param: str | None) -> None:
    error = error_of(posted(gateway, REDEEM, content=body), 400)
    assert error["code"] == "invalid_request"
    assert param is None or error["param"] == param


def test_a_wrong_code_and_a_missing_key_are_told(gateway: Gateway) -> None:
    key = gateway.issue_key("guesser", "1")
    error = error_of(posted(gateway, REDEEM, key, json={"code": "GWZ-no"}), 400)
    assert (error["code"], error["param"]) == ("code_refused", "code")
    assert error_of(posted(gateway, REDEEM, "x", json={"code": "y"}), 401)


def test_whoever_guesses_is_slowed_down(gateway: Gateway) -> None:
    key = gateway.issue_key("stubborn", "1")
    answers = [posted(gateway, REDEEM, key, json={"code": f"no {n}"}) for n in range(12)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2
    assert error_of(answers[-1], 429)["code"] == "rate_limit_exceeded"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    other = gateway.issue_key("patient", "1")
    assert posted(gateway, REDEEM, other, json={"code": "no"}).status_code == 400


def test_without_stripe_nobody_pays_by_card(gateway: Gateway) -> None:
    key = gateway.issue_key("payer", "1")
    assert error_of(posted(gateway, CHECKOUT, key, json={"amount": "5"}), 404)
    assert error_of(posted(gateway, "/webhooks/stripe", content=b"{}"), 404)


def test_the_way_of_a_payment_from_the_key_to_the_balance(gateways: Callable[..., Gateway]) -> None:
    checkout = shop.Checkout()
    with Upstream() as up:
        up.reply(checkout)
        secrets = {
            "STRIPE_SECRET_KEY": shop.SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": shop.WEBHOOK_SECRET,
            "STRIPE_API_BASE": up.url.removesuffix("/v1"),
        }
        gateway = gateways(workers=2, env=secrets)
        key = gateway.issue_key("payer", "1")
        for amount in ("-5", "0.5", "1e9", "0.001", "ten", "", "1000000", "NaN", "5.005"):
            error = error_of(posted(gateway, CHECKOUT, key, json={"amount": amount}), 400)
            assert error["param"] == "amount"
        payer = gateway.issue_key("second payer", "1")
        data = posted(gateway, CHECKOUT, payer, json={"amount": "12.34"}).json()["data"]
        [session] = checkout.sessions.values()
        assert data == {"url": session["url"], "amount": "12.340000000"}
        body = shop.event("checkout.session.completed", shop.paid(session))
        assert told_at_once(gateway, body) == ["booked"] + ["ignored"] * 7
        assert balance(gateway, "second payer") == 13_340_000_000
        forged = {"Stripe-Signature": shop.signature(body, "whsec_forged")}
        hook = gateway.url + "/webhooks/stripe"
        answer = httpx.post(hook, content=body, headers=forged, trust_env=False)
        assert error_of(answer, 400)["code"] == "payment_refused"
        assert "The ledger is right" in gateway.manage("check_ledger")


def told_at_once(gateway: Gateway, body: bytes) -> list[str]:
    headers = {"Stripe-Signature": shop.signature(body), "Content-Type": "application/json"}

    def tell(number: int) -> str:
        hook = gateway.url + "/webhooks/stripe"
        answer = httpx.post(hook, content=body, headers=headers, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["outcome"])

    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(tell, range(8)))


def test_half_a_set_up_does_not_start(tmp_path: Any, migrated: Any) -> None:
    gateway = Gateway(tmp_path, env={"STRIPE_SECRET_KEY": "sk_test_x"}, template=migrated)
    gateway.migrate()
    done = gateway.run("check", check=False)
    assert done.returncode == 1
    assert "STRIPE_WEBHOOK_SECRET is not: set both, or neither" in done.stderr
    with pytest.raises(RuntimeError, match="set both, or neither"):
        gateway.start()

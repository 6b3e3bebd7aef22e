"""What a key holder learns of their requests and money: /v1/generation, /v1/usage, /v1/credits."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.upstreams.chat import Chat, tokens
from tests.upstreams.errors import error as upstream_error
from tests.upstreams.server import Upstream
from tests.world.config import unique
from tests.world.gateway import Gateway
from tests.world.keys import Holder, issue, public_id

USD = 10**9
# 20 of 200 answered tokens are reasoning; 0.5 and 1.5 USD a million
ANSWER = Chat("One two three", usage=tokens(1000, 200, 0, 20))
COST = Decimal("0.0008")


@pytest.fixture(scope="module")
def shop(gateway: Gateway) -> Iterator[tuple[Gateway, str, str]]:
    """Two providers of one model; the first is broken."""
    with Upstream() as broken, Upstream() as sound:
        broken.reply(upstream_error("openai", 500))
        sound.reply(ANSWER)
        model, slugs = unique("acme/chat"), (unique("broken"), unique("sound"))
        gateway.provider(broken, [model], slugs[0], priority=1, name="Broken Inc.")
        gateway.provider(sound, [model], slugs[1], priority=2, name="Sound Inc.")
        yield gateway, model, slugs[1]


@pytest.fixture(scope="module")
def customer(gateway: Gateway) -> Holder:
    return Holder(gateway, issue(gateway, unique("customer"), nano=10 * USD))


def receipt(one: Holder, request_id: str, within_s: float = 1.5) -> dict[str, Any]:
    until = time.monotonic() + within_s
    while (answer := one.get("/v1/generation", id=request_id)).status_code == 404:
        assert time.monotonic() < until, "a receipt is there about a second after the answer"
        time.sleep(0.05)
    assert answer.status_code == 200
    return answer.json()["data"]


def test_a_receipt_tells_who_answered_after_whom_and_for_how_much(shop, customer: Holder) -> None:
    gateway, model, slug = shop
    client = gateway.openai(api_key=customer.token)
    asked = [{"role": "user", "content": "hi"}]
    answer = client.chat.completions.with_raw_response.create(model=model, messages=asked)
    request_id = answer.headers["x-request-id"]
    told = receipt(customer, request_id)
    assert told["id"] == told["request_id"] == request_id
    assert (told["model"], told["provider_name"], told["provider_slug"]) == (
        model,
        "Sound Inc.",
        slug,
    )
    tried = [(one["provider_name"], one["outcome"]) for one in told["provider_responses"]]
    assert tried[-1] == ("Sound Inc.", "answered")
    assert [name for name, _ in tried[:-1]] == ["Broken Inc."]
    assert (told["tokens_prompt"], told["tokens_completion"]) == (1000, 200)
    assert told["buckets"] == {"input": 1000, "output": 180, "reasoning": 20}
    assert told["unit_prices"] == {
        "input": "0.0000005",
        "output": "0.0000015",
        "reasoning": "0.0000015",
    }
    assert (told["markup"], told["price_source"]) == ("1", "manual")
    owed = sum(
        Decimal(price) * told["buckets"][bucket] for bucket, price in told["unit_prices"].items()
    )
    assert owed * Decimal(told["markup"]) == COST
    assert Decimal(str(told["total_cost"])) == COST
    assert told["usage"] == told["total_cost"]
    assert told["streamed"] is False
    assert "credential" not in str(told)
    assert "said" not in str(told)


def test_a_streams_receipt_has_its_first_byte(shop, customer: Holder) -> None:
    _, model, _ = shop
    answer = customer.chat(model, stream=True, stream_options={"include_usage": True})
    assert "[DONE]" in answer.text
    told = receipt(customer, answer.headers["x-request-id"])
    assert told["streamed"] is True
    assert told["latency"] + told["generation_time"] == told["duration"]


def test_a_receipt_is_its_accounts_own(shop, gateway: Gateway, customer: Holder) -> None:
    answer = customer.chat()
    request_id = answer.headers["x-request-id"]
    receipt(customer, request_id)
    stranger = Holder(gateway, issue(gateway, unique("stranger"), is_management=True))
    error = error_of(stranger.get("/v1/generation", id=request_id), 404)
    unknown = error_of(stranger.get("/v1/generation", id="gen-" + "0" * 32), 404)
    assert error["message"] == unknown["message"]
    assert "about a second" in error["message"]


@pytest.mark.parametrize("wanted", ["", " ", "x" * 65, "a\0b"])
def test_an_id_that_is_none_is_a_400(customer: Holder, wanted: str) -> None:
    assert error_of(customer.get("/v1/generation", id=wanted), 400)["param"] == "id"
    error_of(customer.get("/v1/generation"), 400)


def test_credits_add_up_to_the_last_digit(shop, gateway: Gateway) -> None:
    _, model, _ = shop
    one = Holder(gateway, issue(gateway, unique("saver"), nano=2 * USD))
    request_id = one.chat(model).headers["x-request-id"]
    receipt(one, request_id)
    money = one.data("/v1/credits")
    assert set(money) == {"total_credits", "total_usage", "held", "balance"}
    assert all(isinstance(amount, str) for amount in money.values())
    given, used, balance = (
        Decimal(money[name]) for name in ("total_credits", "total_usage", "balance")
    )
    assert (given, used) == (2, COST)
    assert given - used == balance
    own = one.data("/v1/key")
    for period in ("usage", "usage_daily", "usage_weekly", "usage_monthly"):
        assert Decimal(str(own[period])) == COST
    assert own["is_free_tier"] is False
    assert own["limit"] is own["limit_remaining"] is own["limit_reset"] is None
    assert own["hash"] == public_id(one.token)


BUDGET = """
from billing.limits.models import Budget
from billing.models import ApiKey
key = ApiKey.objects.get(public_id={key!r})
Budget.objects.create(key=key, period="month", hard_nano=10**9)
Budget.objects.create(key=key, period="total", hard_nano=5 * 10**9)
"""


def test_a_key_tells_the_budget_that_leaves_the_least(shop, gateway: Gateway) -> None:
    _, model, _ = shop
    one = Holder(gateway, issue(gateway, unique("budgeted"), is_management=True))
    code = BUDGET.format(key=public_id(one.token))
    gateway.manage("shell", "--no-imports", "-c", code)
    receipt(one, one.chat(model).headers["x-request-id"])
    for told in (one.data("/v1/key"), one.data("/v1/keys")[0]):
        assert (told["limit"], told["limit_reset"]) == (1, "monthly")
        assert Decimal(str(told["limit_remaining"])) == 1 - COST


def test_the_last_use_is_told_soon_after(gateway: Gateway) -> None:
    account = unique("used")
    manager = Holder(gateway, issue(gateway, account, is_management=True))
    one = Holder(gateway, issue(gateway, account))
    path = f"/v1/keys/{public_id(one.token)}"
    assert manager.data(path)["last_used_at"] is None
    one.chat()
    until = time.monotonic() + 2
    while manager.data(path)["last_used_at"] is None:
        assert time.monotonic() < until
        time.sleep(0.05)


ROWS = """
from datetime import UTC, datetime
from billing.models import Account, UsageRow
account = Account.objects.get(name={account!r})
UsageRow.objects.bulk_create(
    UsageRow(request_id=f"{{key}}-{{n}}", created_at=datetime(2031, 1, day, 12, tzinfo=UTC),
             account=account, key_id=key, endpoint="chat", asked_model=model, model_id=model,
             provider="echo", status=200, outcome="answered", usage_source="upstream",
             cost_nano=1_500_000_001)
    for key in {keys!r}
    for n, (day, model) in enumerate([(1, "a"), (1, "b"), (2, "a"), (2, "a"), (31, "b")])
)
"""


@pytest.fixture(scope="module")
def reader(gateway: Gateway) -> tuple[Holder, Holder]:
    """A key and a management key of an account with usage in January 2031."""
    account = unique("reader")
    manager = Holder(gateway, issue(gateway, account, is_management=True))
    one = Holder(gateway, issue(gateway, account))
    ids = [public_id(one.token), public_id(manager.token)]
    code = ROWS.format(account=account, keys=ids)
    gateway.manage("shell", "--no-imports", "-c", code)
    return one, manager


def january(one: Holder, **params: Any) -> list[tuple[Any, ...]]:
    given = {"from": "2031-01-01", "to": "2031-01-31"} | params
    rows = one.data("/v1/usage", **given)
    names = given.get("group_by", "date,model,key").split(",")
    return [(*(row[name] for name in names), row["requests"]) for row in rows]


def test_usage_is_grouped_by_what_is_asked(reader: tuple[Holder, Holder]) -> None:
    one, _ = reader
    assert january(one, group_by="date") == [
        ("2031-01-31", 1),
        ("2031-01-02", 2),
        ("2031-01-01", 2),
    ]
    assert january(one, group_by="model") == [("a", 3), ("b", 2)]
    assert january(one, group_by="date,model")[1:] == [
        ("2031-01-02", "a", 2),
        ("2031-01-01", "a", 1),
        ("2031-01-01", "b", 1),
    ]
    assert january(one, group_by="date", model="a") == [("2031-01-02", 2), ("2031-01-01", 1)]
    answer = one.get("/v1/usage", **{"from": "2031-01-01", "to": "2031-01-31"})
    assert answer.json()["total"]["requests"] == 5
    assert '"usage":7.500000005' in answer.text.replace(" ", ""), "every digit counts"


def test_a_key_sees_its_own_usage_and_a_management_key_its_accounts(
    reader: tuple[Holder, Holder],
) -> None:
    one, manager = reader
    ids = sorted(public_id(holder.token) for holder in reader)
    assert january(one, group_by="key") == [(public_id(one.token), 5)]
    assert january(manager, group_by="key") == [(key, 5) for key in ids]
    assert january(manager, group_by="key", key=public_id(one.token)) == [(public_id(one.token), 5)]
    assert january(one, group_by="key", key=public_id(manager.token)) == []


def test_another_accounts_usage_is_not_there(
    gateway: Gateway, reader: tuple[Holder, Holder]
) -> None:
    stranger = Holder(gateway, issue(gateway, unique("stranger"), is_management=True))
    assert january(stranger) == []
    assert january(stranger, key=public_id(reader[0].token)) == []


def test_days_and_moments_bound_the_usage(reader: tuple[Holder, Holder]) -> None:
    one, _ = reader
    assert january(one, group_by="date", to="2031-01-02") == [("2031-01-02", 2), ("2031-01-01", 2)]
    assert january(one, group_by="date", to="2031-01-02T12:00:00Z") == [("2031-01-01", 2)]
    late = {"from": "2031-01-02T13:00:00+01:00", "to": "2031-01-03"}
    assert january(one, group_by="date", **late) == [("2031-01-02", 2)]


def test_usage_comes_in_pages(reader: tuple[Holder, Holder]) -> None:
    one, _ = reader
    whole = january(one)
    pages = [january(one, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [row for page in pages for row in page] == whole
    assert len(whole) == 4
    period = {"from": "2031-01-01", "to": "2031-01-31"}
    assert one.get("/v1/usage", limit=3, **period).json()["has_more"] is True
    assert one.get("/v1/usage", limit=4, **period).json()["has_more"] is False


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"from": "2031-01-02", "to": "2031-01-01"}, "from"),
        ({"from": "2030-01-01", "to": "2031-06-01"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2031-02-30"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "0001-01-01T00:00:00+23:00"}, "from"),
        ({"group_by": "provider"}, "group_by"),
        ({"group_by": ""}, "group_by"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"offset": "9" * 30}, "offset"),
        ({"model": "x" * 251}, "model"),
        ({"key": "a\0"}, "key"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_400(
    customer: Holder, params: dict[str, str], param: str
) -> None:
    assert error_of(customer.get("/v1/usage", **params), 400)["param"] == param


def test_without_bounds_it_is_the_last_thirty_days(customer: Holder) -> None:
    answer = customer.get("/v1/usage").json()
    start, end = (datetime.fromisoformat(answer[name]) for name in ("from", "to"))
    assert datetime.now(UTC) - end < timedelta(minutes=1)
    assert timedelta(days=30) <= end - start < timedelta(days=31)


def test_without_a_key_nothing_is_told(gateway: Gateway) -> None:
    for path in ("/v1/key", "/v1/credits", "/v1/usage", "/v1/generation?id=x", "/v1/keys"):
        answer = httpx.get(gateway.url + path, trust_env=False)
        assert error_of(answer, 401)["code"] == "invalid_api_key"

"""Limits of plans and credentials in the config file."""

import pytest

from billing.limits.models import LimitRule
from billing.models import Account, Plan
from gatewayz.configfile.exporting import export
from gatewayz.configfile.problems import Invalid
from providers.models import Credential
from tests.gatewayz.configfile.files import put

pytestmark = pytest.mark.django_db

GOLD = """
version: 1
plans:
  t-gold:
    requests_per_minute: null
    requests_per_day: 5000
    tokens_per_day: 9000000000000
    concurrency: 0
    limits:
      - {amount: 100, unit: requests, window: minute, per: account, models: "openai/*"}
      - {amount: 10, unit: concurrency}
"""
CREDENTIAL = """
version: 1
providers:
  t-limits:
    name: T
    base_url: https://t.example/v1
    credentials:
      - {env: T_KEY, limits: {requests_per_minute: 50, tokens_per_minute: null, concurrency: 4}}
"""


def rules(plan: str = "t-gold") -> list[str]:
    return [str(rule) for rule in LimitRule.objects.filter(plan__name=plan).order_by("pk")]


def test_a_plan_brings_its_limits() -> None:
    put(GOLD)
    plan = Plan.objects.get(name="t-gold")
    assert (plan.requests_per_minute, plan.requests_per_day, plan.concurrency) == (None, 5000, 0)
    assert plan.tokens_per_day == 9_000_000_000_000
    assert plan.tokens_per_minute == 1_000_000
    assert rules() == ["100 requests per minute of openai/*", "10 concurrency"]
    assert put(GOLD).lines == []


def test_the_list_says_everything_and_leaves_others_alone() -> None:
    put(GOLD)
    account = Account.objects.create(name="A", plan=Plan.objects.get(name="t-gold"))
    LimitRule.objects.create(account=account, unit="tokens", window="day", amount=1)
    planned = put(GOLD.replace("amount: 100", "amount: 99").replace("10, unit", "8, unit"))
    assert planned.lines == [
        "~ limit 1 of plan t-gold.amount: 100 → 99",
        "~ limit 2 of plan t-gold.amount: 10 → 8",
    ]
    put("version: 1\nplans:\n  t-gold: {limits: []}\n")
    assert rules() == []
    assert LimitRule.objects.count() == 1


def test_a_plan_without_a_list_keeps_its_limits() -> None:
    put(GOLD)
    put("version: 1\nplans:\n  t-gold: {concurrency: 9}\n")
    assert len(rules()) == 2


def test_a_pruned_plan_takes_its_limits_along() -> None:
    put(GOLD)
    put("version: 1\nplans:\n  default: {}\n", prune=True)
    assert LimitRule.objects.count() == 0


def test_an_export_brings_the_limits_back() -> None:
    put(GOLD)
    put(CREDENTIAL)
    text = export()
    assert put(text).lines == []
    Plan.objects.filter(name="t-gold").update(requests_per_day=1)
    LimitRule.objects.all().delete()
    Credential.objects.filter(env="T_KEY").update(concurrency=9)
    put(text)
    assert export() == text
    assert len(rules()) == 2


def test_a_credential_brings_its_limits() -> None:
    put(CREDENTIAL)
    row = Credential.objects.get(env="T_KEY")
    assert (row.requests_per_minute, row.tokens_per_minute, row.concurrency) == (50, None, 4)


@pytest.mark.parametrize(
    ("limit", "complaint"),
    [
        ("{amount: 1, unit: requests}", "Concurrency has no window; all else has one."),
        ("{amount: 1, unit: concurrency, window: day}", "Concurrency has no window"),
        ("{amount: -1, unit: requests, window: day}", "limits[0].amount: expected a whole number"),
        ("{amount: 1, unit: bananas, window: day}", "limits[0].unit: "),
        ("{amount: 1, unit: requests, window: week}", "limits[0].window: "),
        ("{amount: 1, unit: requests, window: day, per: x}", "limits[0].per: "),
        ("{unit: requests, window: day}", "limits[0].amount: missing"),
        ("{amount: 1, unit: requests, window: day, burst: 2}", "unknown key"),
        ("7", "limits[0]: expected a mapping"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named_and_nothing_is_written(
    limit: str, complaint: str
) -> None:
    with pytest.raises(Invalid) as caught:
        put(f"version: 1\nplans:\n  t-bad:\n    limits:\n      - {limit}\n")
    text = "\n".join(map(str, caught.value.problems))
    assert complaint in text
    assert "line 5" in text
    assert not Plan.objects.filter(name="t-bad").exists()

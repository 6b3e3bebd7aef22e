"""Limits and budgets as admins enter them, and what a key makes of them."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from billing.limits.models import Budget, LimitRule
from billing.limits.policies import Policies
from billing.limits.reading import with_limits
from billing.limits.values import Limit
from billing.models import Account, ApiKey, Plan
from catalog.models import Revision
from providers.models import Credential, Provider
from tests.billing import ledgers
from tests.forms import errors, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(db) -> ApiKey:
    return ApiKey.issue(ledgers.account())[0]


def limits_of(key: ApiKey) -> dict[tuple[str, str], Limit]:
    row = ApiKey.objects.select_related("account__plan").get(pk=key.pk)
    return {(limit.unit, limit.window): limit for limit in with_limits(row, row.value_of()).limits}


def test_a_plans_columns_are_each_keys_limits(key: ApiKey) -> None:
    found = limits_of(key)
    assert {name: limit.amount for name, limit in found.items()} == {
        ("requests", "minute"): 600,
        ("tokens", "minute"): 1_000_000,
        ("concurrency", ""): 50,
    }
    assert all(key.public_id in limit.name for limit in found.values())


def test_an_empty_column_is_no_limit_and_zero_is_one(key: ApiKey) -> None:
    Plan.objects.update(requests_per_minute=None, tokens_per_minute=0, requests_per_day=9)
    found = {name: limit.amount for name, limit in limits_of(key).items()}
    assert found == {
        ("requests", "day"): 9,
        ("tokens", "minute"): 0,
        ("concurrency", ""): 50,
    }


@pytest.mark.parametrize(
    ("per", "scope", "shared"),
    [("key", "key", False), ("account", "account", True), ("all", "plan", True)],
)
def test_a_plans_rule_counts_per_key_account_or_together(
    key: ApiKey, per: str, scope: str, shared: bool
) -> None:
    other = ApiKey.issue(key.account)[0]
    plan = key.account.plan
    LimitRule.objects.create(plan=plan, per=per, unit="tokens", window="day", amount=5)
    mine, theirs = (limits_of(one)["tokens", "day"] for one in (key, other))
    assert (mine.scope, mine.name == theirs.name) == (scope, shared)


def test_rules_of_others_are_not_mine(key: ApiKey) -> None:
    stranger = ledgers.account("Other")
    LimitRule.objects.create(account=stranger, unit="tokens", window="hour", amount=5)
    LimitRule.objects.create(key=ApiKey.issue(stranger)[0], unit="tokens", window="day", amount=5)
    assert {("tokens", "hour"), ("tokens", "day")}.isdisjoint(limits_of(key))


def test_a_pattern_chooses_the_models_that_count(key: ApiKey) -> None:
    rule = {"unit": "requests", "window": "hour", "amount": 5}
    LimitRule.objects.create(key=key, model_pattern="openai/*", **rule)
    row = ApiKey.objects.select_related("account__plan").get(pk=key.pk)
    policy = Policies().of(with_limits(row, row.value_of()))
    assert len(policy.applying("openai/gpt").counters) == 4
    assert len(policy.applying("acme/chat").counters) == 3
    assert 'models="openai/*"' in policy.applying("openai/gpt").header


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"plan": True, "key": True},
        {"key": True, "unit": "concurrency"},
        {"key": True, "window": ""},
        {"key": True, "unit": "bananas"},
        {"key": True, "window": "fortnight"},
        {"key": True, "amount": -1},
        {"key": True, "per": "nobody"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(key: ApiKey, wrong: dict) -> None:
    given = {"unit": "requests", "window": "minute", "amount": 1} | wrong
    given |= {"plan": key.account.plan} if wrong.get("plan") else {}
    given |= {"key": key} if wrong.get("key") else {}
    with pytest.raises(ValidationError):
        LimitRule(**given).full_clean()


def test_a_rule_tells_those_whom_it_concerns(key: ApiKey) -> None:
    account, plan = key.account, key.account.plan
    for owner, part in (
        ({"key": key}, f"key:{key.public_id}"),
        ({"account": account}, f"account:{account.pk}"),
        ({"plan": plan}, f"plan:{plan.pk}"),
    ):
        rule = LimitRule.objects.create(unit="requests", window="day", amount=1, **owner)
        assert Revision.objects.first().parts == [part]
        LimitRule.objects.filter(pk=rule.pk).update(amount=2)
        assert Revision.objects.first().parts == [part]
        rule.delete()
        assert Revision.objects.first().parts == [part]


def test_a_rule_is_entered_below_its_plan(admin_client: Client) -> None:
    plan = Plan.objects.get(name="default")
    url = reverse("admin:billing_plan_change", args=[plan.pk])
    given = {"per": "account", "amount": "7", "unit": "requests", "window": "hour"}
    rows = {f"limit_rules__0__{name}": value for name, value in given.items()}
    answer = save(admin_client, url, limit_rules__TOTAL_FORMS="1", **rows)
    assert errors(answer) == ""
    assert str(plan.limit_rules.get()) == "7 requests per hour"


def test_limits_of_a_new_plan_are_entered_with_it(admin_client: Client) -> None:
    url = reverse("admin:billing_plan_add")
    given = {"per": "key", "amount": "7", "unit": "concurrency", "model_pattern": "a/*"}
    rows = {f"limit_rules__0__{name}": value for name, value in given.items()}
    answer = save(admin_client, url, name="new", limit_rules__TOTAL_FORMS="1", **rows)
    assert errors(answer) == ""
    assert Plan.objects.get(name="new").limit_rules.count() == 1


def enter(client: Client, key: ApiKey, **edges: str):
    return save(client, reverse("admin:limits_budget_add"), key=key.pk, period="day", **edges)


def test_a_budget_is_entered_in_dollars(admin_client: Client, key: ApiKey) -> None:
    assert errors(enter(admin_client, key, soft="7.5", hard="10.000000001")) == ""
    budget = Budget.objects.get()
    assert (budget.soft_nano, budget.hard_nano) == (7_500_000_000, 10_000_000_001)
    url = reverse("admin:limits_budget_change", args=[budget.pk])
    assert errors(save(admin_client, url)) == ""
    budget.refresh_from_db()
    assert (budget.soft_nano, budget.hard_nano) == (7_500_000_000, 10_000_000_001)
    assert errors(save(admin_client, url, soft="")) == ""
    budget.refresh_from_db()
    assert (budget.soft_nano, budget.hard_nano) == (None, 10_000_000_001)


@pytest.mark.parametrize(
    "edges",
    [
        {},
        {"hard": "-1"},
        {"hard": "ten"},
        {"hard": "NaN"},
        {"hard": "1e30"},
        {"hard": "0.0000000001"},
        {"soft": "2", "hard": "1"},
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(
    admin_client: Client, key: ApiKey, edges: dict[str, str]
) -> None:
    assert errors(enter(admin_client, key, **edges))
    assert not Budget.objects.exists()


def test_a_budget_has_one_owner(admin_client: Client, key: ApiKey) -> None:
    url = reverse("admin:limits_budget_add")
    both = {"key": key.pk, "account": key.account_id}
    for owner in ({}, both):
        assert errors(save(admin_client, url, period="day", hard="1", **owner))


def test_a_budget_of_a_key_reaches_the_key(key: ApiKey) -> None:
    for owner in ({"key": key}, {"account": key.account}):
        Budget.objects.create(hard_nano=1, **owner)
    Budget.objects.create(hard_nano=1, key=key, enabled=False)
    row = ApiKey.objects.select_related("account__plan").get(pk=key.pk)
    found = with_limits(row, row.value_of()).budgets
    assert [budget.scope for budget in found] == ["key", "account"]


def test_a_credentials_limits_are_its_secrets(db) -> None:
    provider = Provider.objects.create(slug="t-limits", name="T", base_url="https://t.example/v1")
    row = Credential(provider=provider, value="sk-secret", requests_per_minute=5, concurrency=2)
    row.save()
    secret = Credential.objects.get(pk=row.pk).secret()
    assert secret is not None
    assert (secret.requests_per_minute, secret.tokens_per_minute, secret.concurrency) == (
        5,
        None,
        2,
    )


def test_an_account_that_goes_takes_its_budgets_along(key: ApiKey) -> None:
    account = Account.objects.create(name="Going", plan=key.account.plan)
    Budget.objects.create(account=account, hard_nano=1)
    account.delete()
    assert not Budget.objects.exists()

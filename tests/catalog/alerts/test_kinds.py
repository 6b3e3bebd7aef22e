"""What each kind finds, and when it is over."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import alarms
from billing.limits.models import Budget, BudgetNotice
from billing.limits.notices import notice
from billing.limits.periods import moment, period_of
from billing.models import Account, ApiKey, Plan, UsageRow
from billing.rollups.summing import roll_up
from billing.rollups.users import users_of
from catalog.alerts.evaluating import SLOW, evaluate
from catalog.alerts.models import Alert, AlertRule
from catalog.evidence.models import OfferHealth
from catalog.evidence.recording import record
from catalog.evidence.verdicts import NOT_FOUND, OK, SOFT
from catalog.models import Model, ModelAlias, Offer
from catalog.syncs import deciding
from catalog.syncs.models import Changeset, SyncRun
from tests.catalog.alerts.conftest import firing, told
from tests.catalog.evidence.conftest import found
from tests.catalog.syncs.conftest import synced
from tests.upstreams.listings import Page, Stock

pytestmark = pytest.mark.django_db
HTML = Page(b"<!doctype html><title>Just a moment</title>", 200, {"content-type": "text/html"})


def failures(offer: Offer, ok: int, failed: int) -> None:
    record([found(offer)] * ok + [found(offer, SOFT)] * failed)


def test_a_provider_that_fails_is_one_alert_and_its_offers_are_none(offer: Offer) -> None:
    failures(offer, 9, 10)
    evaluate()
    assert firing("provider_failing") == {}, "19 attempts are too few to conclude from"
    failures(offer, 0, 1)
    evaluate()
    said = "55 % of 20 attempts failed within 5 minutes"
    assert firing("provider_failing") == {"acme": said}
    assert firing("offer_failing") == {}
    failures(offer, 20, 0)
    evaluate()
    assert firing("provider_failing") == {}


def test_an_offer_that_fails_beside_good_ones(offer: Offer) -> None:
    model = Model.objects.create(model_id="acme/chat-2")
    other = Offer.objects.create(model=model, provider=offer.provider, upstream_id="chat-2")
    failures(offer, 0, 20)
    failures(other, 50, 0)
    evaluate()
    assert firing("provider_failing") == {}
    assert list(firing("offer_failing")) == ["acme/chat-1 at acme"]


def test_the_requests_own_mistakes_are_no_failures_of_a_provider(offer: Offer) -> None:
    record([found(offer, SOFT, faultless=True)] * 100)
    evaluate()
    assert firing("provider_failing") == {}


def test_an_offer_that_is_down_until_it_is_back(offer: Offer) -> None:
    record([found(offer, NOT_FOUND, status=404)] * 3)
    evaluate()
    (text,) = firing("offer_down").values()
    assert "not found three times in a row" in text
    record([found(offer, OK)])
    evaluate()
    assert firing("offer_down") == {}


def test_a_window_lets_an_offer_be_down_for_a_while(offer: Offer) -> None:
    AlertRule.objects.filter(kind="offer_down").update(window_minutes=10)
    record([found(offer, NOT_FOUND)] * 3)
    evaluate()
    assert firing("offer_down") == {}
    OfferHealth.objects.update(down_since=timezone.now() - timedelta(minutes=11))
    evaluate()
    assert len(firing("offer_down")) == 1


def test_what_is_held_back_is_told_at_once_and_resolved_by_the_admins_word(
    listing,
    channel,
) -> None:
    channel()
    stock = Stock("openrouter", count=20)
    provider = listing(stock)
    synced(provider)
    stock.rows = stock.rows[:10]
    synced(provider)  # nobody evaluates: the sync pushed it
    assert firing("quarantined") == {
        "openrouter": "10 changes wait for an admin: 10 of 20 models are gone, 50 %; "
        "max_drop_percent is 50"
    }
    assert told() == ["Firing: Changeset held back, openrouter"]
    deciding.reject(Changeset.objects.get(state="quarantined"), "admin")
    assert firing("quarantined") == {}
    assert told() == ["Resolved: Changeset held back, openrouter"]


def test_a_sync_that_fails_three_times_in_a_row(listing, lists) -> None:
    stock = Stock("groq")
    provider = listing(stock)
    synced(provider)
    lists.shelves["/groq/models"] = lambda asked: Page(b"oops", 500)
    for count in range(3):
        assert firing("sync_failing") == {}, count
        synced(provider)
    (text,) = firing("sync_failing").values()
    assert text.startswith("3 syncs in a row failed, the last one: page 1 of http")
    lists.shelves["/groq/models"] = stock
    synced(provider)
    assert firing("sync_failing") == {}


def test_a_catalogue_that_shrinks_a_little_each_time_is_noticed(listing) -> None:
    stock = Stock("openrouter", count=100)
    provider = listing(stock)
    synced(provider)
    for left in (90, 81):
        stock.rows = stock.rows[:left]
        assert synced(provider).state == "applied"
    assert firing("catalogue_shrank") == {}
    stock.rows = stock.rows[:79]
    synced(provider)
    assert firing("catalogue_shrank") == {
        "openrouter": "79 models are listed, 100 were within 3 days"
    }


def test_a_list_that_reads_differently(listing, lists) -> None:
    stock = Stock("openrouter", count=40)
    provider = listing(stock)
    synced(provider)
    assert firing("api_drift") == {}
    for row in stock.rows[:6]:
        row["pricing"] = {"prompt": "7", "completion": "7"}
    assert synced(provider).refused_count >= 6
    (text,) = firing("api_drift").values()
    assert "refused, of 40 rows: org-0/openrouter-0: " in text
    lists.shelves["/openrouter/models"] = lambda asked: HTML
    synced(provider)
    (text,) = firing("api_drift").values()
    assert "cannot be read: page 1" in text
    lists.shelves["/openrouter/models"] = Stock("openrouter", count=40)
    synced(provider)
    assert firing("api_drift") == {}


def test_a_list_that_is_away_is_no_drift(listing, lists) -> None:
    provider = listing(Stock("groq"), lambda asked: Page(b"oops", 500))
    synced(provider)
    assert not SyncRun.objects.get().unreadable
    assert firing("api_drift") == {}


@pytest.fixture
def key(db: None) -> ApiKey:
    account = Account.objects.create(name="Acme", plan=Plan.objects.get(name="default"))
    return ApiKey.issue(account, "laptop")[0]


def used(key: ApiKey, offer: Offer, days_ago: float = 0, source: str = "listing") -> None:
    UsageRow.objects.create(
        request_id=f"req-{UsageRow.objects.count()}",
        created_at=timezone.now() - timedelta(days=days_ago),
        account=key.account,
        key_id=key.public_id,
        endpoint="chat",
        asked_model="x",
        model_id=offer.model.model_id,
        provider=offer.provider.slug,
        status=200,
        outcome="answered",
        usage_source="upstream",
        cost_nano=5,
        price_source=source,
    )


def test_traffic_without_a_price(offer: Offer, key: ApiKey) -> None:
    used(key, offer)
    evaluate()
    assert firing("unpriced_traffic") == {}
    used(key, offer, source="default")
    used(key, offer, days_ago=1, source="default")
    evaluate()
    said = "1 requests within 60 minutes had no price of their own"
    assert firing("unpriced_traffic") == {"acme/chat-1 at acme": said}


def test_a_budgets_edge_until_its_period_is_over(key: ApiKey) -> None:
    budget = Budget.objects.create(account=key.account, period="day", soft_nano=10**9)
    began = moment(period_of("day", timezone.now().timestamp())[0])
    assert notice(budget.pk, began, "soft", 1_500_000_000)
    said = "1.50 USD were spent this day, the edge is 1.00 USD: requests go on"
    assert firing("budget") == {"soft edge of the budget of account Acme": said}
    evaluate()
    assert len(firing("budget")) == 1
    BudgetNotice.objects.update(period_began_at=began - timedelta(days=1))
    evaluate()
    assert firing("budget") == {}


def test_an_alias_whose_target_is_gone(offer: Offer) -> None:
    for alias, target in {
        "plain": "acme/chat-1",
        "pinned": "acme/acme/chat-1",
        "floor": "acme/chat-1:floor",
        "chain": "plain",
        "lost": "acme/chat-9",
        "elsewhere": "groq/acme/chat-1",
    }.items():
        ModelAlias.objects.create(alias=alias, target=target)
    evaluate(SLOW)
    assert set(firing("alias_gone")) == {"lost", "elsewhere"}
    assert firing("alias_gone")["lost"] == "it leads to acme/chat-9, which nobody offers"
    Offer.objects.filter(pk=offer.pk).update(retired_at=timezone.now())
    evaluate(SLOW)
    assert set(firing("alias_gone")) == {"plain", "pinned", "floor", "chain", "lost", "elsewhere"}


@pytest.mark.parametrize("summed", [True, False])
def test_a_deprecation_ahead_names_the_keys_that_used_it_in_30_days(
    offer: Offer, key: ApiKey, summed: bool
) -> None:
    other, _ = ApiKey.issue(key.account, "server")
    Offer.objects.update(
        deprecated=True, deprecated_at=date.today() + timedelta(days=20), replaced_by="chat-2"
    )
    evaluate(SLOW)
    assert firing("deprecation_ahead") == {}, "nobody uses it"
    for _ in range(3):
        used(key, offer, days_ago=2)
    used(other, offer, days_ago=31)
    if summed:
        roll_up()
    evaluate(SLOW)
    day = date.today() + timedelta(days=20)
    assert firing("deprecation_ahead") == {
        "acme/chat-1 at acme": f"it ends {day}, chat-2 replaces it; used by {key}"
    }
    (alert,) = Alert.objects.filter(kind="deprecation_ahead")
    assert [one["key"] for one in alert.details["keys"]] == [str(key)]
    Offer.objects.update(deprecated_at=date.today() + timedelta(days=31))
    evaluate(SLOW)
    assert firing("deprecation_ahead") == {}


def test_users_are_found_by_the_index_from_key_to_key(offer: Offer, key: ApiKey) -> None:
    for _ in range(50):
        used(key, offer)
    roll_up()
    since = timezone.now() - timedelta(days=30)
    with CaptureQueriesContext(connection) as queries:
        assert list(users_of(("acme", "acme/chat-1"), since, {})) == [key.public_id]
    assert len(queries) == 3
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = str(cursor.fetchall())
        assert "SEARCH" in plan
        assert "hours_of_an_offer" in plan, plan


def test_a_refused_credential_is_the_operators_alert() -> None:
    alarms.tell_refused({("groq", 7): "secret_refused"})
    alarms.tell_refused({("groq", 7): "secret_refused"})
    said = "the provider refuses it; requests with it fail"
    assert firing("credential_refused") == {"credential 7 of groq": said}
    assert Alert.objects.get().count == 2

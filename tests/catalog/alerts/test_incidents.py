"""An incident begins once, is told once, ends once; a storm is one message."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.alerts import retention
from catalog.alerts.evaluating import evaluate
from catalog.alerts.kinds import KINDS, Finding
from catalog.alerts.models import FIRING, RESOLVED, Alert, AlertRule, Delivery
from catalog.alerts.raising import raise_alert, reconcile, resolve
from tests.catalog.alerts.conftest import firing, pass_time, told

pytestmark = pytest.mark.django_db


def test_every_kind_has_a_rule_as_it_begins() -> None:
    rules = {rule.kind: rule for rule in AlertRule.objects.all()}
    assert rules.keys() == KINDS.keys()
    for kind in KINDS.values():
        rule = rules[kind.name]
        begins = (rule.threshold, rule.window_minutes, rule.least, rule.cooldown_minutes)
        assert begins == (kind.threshold, kind.window_minutes, kind.least, kind.cooldown_minutes)


def test_raised_twice_it_is_one_incident_told_once(channel) -> None:
    channel()
    assert raise_alert("budget", "Acme", "80 % are spent", {"share": 0.8}) is True
    assert told() == ["Firing: Budget, Acme"]
    assert raise_alert("budget", "Acme", "90 % are spent") is False
    assert told() == []
    (alert,) = Alert.objects.all()
    assert (alert.state, alert.count, alert.text) == (FIRING, 2, "90 % are spent")


def test_an_end_is_told_of_what_was_told(channel) -> None:
    channel()
    raise_alert("budget", "Acme", "spent")
    told()
    assert resolve("budget", "Acme", "topped up") is True
    assert resolve("budget", "Acme") is False
    assert told() == ["Resolved: Budget, Acme"]
    (line,) = Delivery.objects.first().message["alerts"]
    assert (line["state"], line["ending"]) == (RESOLVED, "topped up")


def test_what_ends_before_it_was_told_is_never_told(channel) -> None:
    channel()
    raise_alert("budget", "Acme", "spent")
    resolve("budget", "Acme")
    assert told() == []


def test_within_the_cool_down_it_fires_again_in_silence(channel) -> None:
    channel()
    for _ in range(3):
        raise_alert("budget", "Acme", "spent")
        told()
        resolve("budget", "Acme")
    assert told() == []
    assert Delivery.objects.count() == 2
    raise_alert("budget", "Acme", "spent")
    pass_time(minutes=KINDS["budget"].cooldown_minutes + 1)
    assert told() == ["Firing: Budget, Acme"], "it still fires when the cool-down is over"


def test_a_storm_of_a_thousand_offers_down_is_one_message(channel) -> None:
    channel()
    rule, now = AlertRule.objects.of("offer_down"), timezone.now()
    storm = [Finding(f"org/m-{n} at acme", "not found three times in a row") for n in range(1000)]
    with CaptureQueriesContext(connection) as queries:
        assert reconcile(rule, storm, now) == 1000
    assert len(queries) < 30
    assert told() == ["Alerts: 1,000 firing. Offer down (1,000)"]
    delivery = Delivery.objects.get()
    assert (len(delivery.message["alerts"]), delivery.message["more"]) == (20, 980)
    assert delivery.alerts.count() == 1000
    assert reconcile(rule, storm, now) == 0
    assert reconcile(rule, storm[:1], now) == 999
    assert told() == ["Alerts: 999 resolved. Offer down (999)"]
    assert set(firing("offer_down")) == {"org/m-0 at acme"}


def test_kinds_go_where_they_are_meant_to(channel) -> None:
    everything, budgets = channel(), channel()
    budgets.rules.add(AlertRule.objects.of("budget"))
    channel(enabled=False)
    raise_alert("budget", "Acme", "spent")
    raise_alert("credential_refused", "credential 1 of groq", "refused")
    told()
    titles = dict(Delivery.objects.values_list("channel__name", "title"))
    assert titles == {
        everything.name: "Alerts: 2 firing. Budget (1), Credential refused (1)",
        budgets.name: "Firing: Budget, Acme",
    }


def test_without_any_channel_it_is_shown_and_begins_no_cool_down(channel) -> None:
    raise_alert("budget", "Acme", "spent")
    assert told() == []
    resolve("budget", "Acme")
    channel()
    raise_alert("budget", "Acme", "spent")
    assert told() == ["Firing: Budget, Acme"]


def test_a_rule_that_is_off_raises_nothing_and_ends_what_fires() -> None:
    raise_alert("credential_refused", "credential 1 of groq", "refused")
    AlertRule.objects.update(enabled=False)
    assert raise_alert("budget", "Acme", "spent") is False
    assert evaluate() == 1
    assert Alert.objects.get().ending == "its rule was switched off"


def test_what_fades_is_over_after_its_window() -> None:
    raise_alert("credential_refused", "credential 1 of groq", "refused")
    assert evaluate(["credential_refused"]) == 0
    pass_time(minutes=16)
    assert evaluate(["credential_refused"]) == 1
    assert Alert.objects.get().ending == "not seen for 15 minutes"


def test_a_kind_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        raise_alert("nonsense", "Acme", "…")
    with pytest.raises(KeyError):
        resolve("nonsense", "Acme")


def test_a_look_at_a_quiet_house_is_few_queries_and_writes_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert evaluate() == 0
    assert len(queries) <= 25
    assert not [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]


def test_old_incidents_are_swept_and_firing_ones_stay(channel) -> None:
    channel()
    raise_alert("budget", "over", "spent")
    told()
    resolve("budget", "over")
    raise_alert("budget", "on", "spent")
    told()
    pass_time(days=91)
    Delivery.objects.update(state="sent", created_at=timezone.now() - timezone.timedelta(days=91))
    assert retention.sweep() == 3
    assert [alert.subject for alert in Alert.objects.all()] == ["on"]

"""Messages reach real receivers: slow ones, failing ones, dead ones, and never twice at once."""

import time

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalog.alerts import digest
from catalog.alerts.delivering import LONGEST_WAIT_S, MOST_ATTEMPTS, pause_s
from catalog.alerts.models import SENDING, Channel, Delivery
from catalog.alerts.raising import raise_alert, resolve
from catalog.alerts.telling import trial
from providers.posting import Patience, PostFailed, post
from tests.catalog.alerts.conftest import delivered, pass_time
from tests.servers import free_port
from tests.upstreams.hooks import Hook, Mailbox, Said

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook():
    with Hook() as running:
        yield running


def test_our_own_shape_holds_all_of_it(channel, hook: Hook) -> None:
    channel(hook)
    raise_alert("budget", "Acme", "80 % are spent", {"share": 0.8})
    (said,) = delivered()
    assert said.endswith("to channel 0 sent")
    (body,) = hook.came
    assert body["source"] == "gatewayz"
    assert body["title"] == "Firing: Budget, Acme"
    (alert,) = body["alerts"]
    assert (alert["kind"], alert["subject"], alert["state"]) == ("budget", "Acme", "firing")
    assert alert["details"] == {"share": 0.8}
    assert hook.headers[0]["idempotency-key"].startswith("gatewayz-")
    resolve("budget", "Acme", "topped up")
    delivered()
    assert hook.came[1]["alerts"][0]["state"] == "resolved"


def test_slacks_shape_has_a_text_and_blocks_and_escapes(channel, hook: Hook) -> None:
    channel(hook, "slack")
    raise_alert("budget", "<Acme & Sons>", "spent")
    delivered()
    (body,) = hook.came
    assert body["text"] == "Firing: Budget, &lt;Acme &amp; Sons&gt;"
    assert [block["type"] for block in body["blocks"]] == ["header", "section"]
    assert "&lt;Acme &amp; Sons&gt;" in body["blocks"][1]["text"]["text"]


def test_slacks_bounds_hold_for_a_storm() -> None:
    row = {"kind": "offer_down", "subject": "x" * 300, "state": "firing", "text": "<" * 900}
    body = digest.slack(digest.message([row] * 1000))
    assert len(body["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in body["blocks"])
    assert "980 more" in body["blocks"][-1]["text"]["text"]


def test_a_500_is_tried_again_and_then_it_lands(channel) -> None:
    with Hook(Said(500, body=b"oops"), Said(503)) as hook:
        channel(hook)
        raise_alert("budget", "Acme", "spent")
        (said,) = delivered()
        assert "again in" in said
        assert "127.0.0.1 answered 500 oops" in said
        assert delivered() == [], "not before its time"
        pass_time(minutes=1)
        delivered()
        pass_time(minutes=2)
        delivered()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.problem) == ("sent", 3, "")
    keys = {headers["idempotency-key"] for headers in hook.headers}
    assert len(keys) == 1, "the receiver can tell repetitions"
    assert [body["attempt"] for body in hook.came] == [1, 2, 3]


def test_retry_after_is_obeyed(channel) -> None:
    with Hook(Said(429, headers={"Retry-After": "1800"})) as hook:
        channel(hook)
        raise_alert("budget", "Acme", "spent")
        delivered()
    wait_s = (Delivery.objects.get().next_at - timezone.now()).total_seconds()
    assert 1790 < wait_s <= 1800


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
def test_what_will_not_work_is_not_tried_again(channel, status: int) -> None:
    with Hook(Said(status, body=b"no_service")) as hook:
        channel(hook)
        raise_alert("budget", "Acme", "spent")
        delivered()
        pass_time(hours=2)
        assert delivered() == []
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.problem == f"127.0.0.1 answered {status} no_service"


def test_a_dead_receiver_is_given_up_in_the_end_and_the_others_get_theirs(channel, hook) -> None:
    channel(f"http://127.0.0.1:{free_port()}/secret-path-of-forty-letters-or-more")
    channel(hook)
    raise_alert("budget", "Acme", "spent")
    delivered()
    assert len(hook.came) == 1
    for _ in range(MOST_ATTEMPTS):
        pass_time(hours=2)
        delivered()
    dead = Delivery.objects.get(channel__name="channel 0")
    assert (dead.state, dead.attempts) == ("failed", MOST_ATTEMPTS)
    assert "could not be reached" in dead.problem
    assert "secret" not in dead.problem
    assert len(hook.came) == 1


def test_a_slow_receiver_is_waited_for_and_a_silent_one_is_not(channel) -> None:
    with Hook(Said(after_s=1)) as hook:
        channel(hook)
        raise_alert("budget", "Acme", "spent")
        assert delivered()[0].endswith("sent")
    with Hook(Said(after_s=3)) as hook:
        began = time.monotonic()
        with pytest.raises(PostFailed, match="silent for too long") as problem:
            post(hook.url, b"{}", {}, True, Patience(silence_s=0.3))
        assert time.monotonic() - began < 2
        assert problem.value.may_pass


def test_a_private_address_needs_the_admins_leave(channel, hook: Hook) -> None:
    channel(hook, private_network=False)
    raise_alert("budget", "Acme", "spent")
    delivered()
    row = Delivery.objects.get()
    assert (row.state, hook.came) == ("failed", [])
    assert row.problem == ("127.0.0.1 is not public, and the channel may not use a private network")


def test_waits_double_and_end() -> None:
    waits = [pause_s(attempt, None) for attempt in range(1, MOST_ATTEMPTS)]
    assert 4 <= waits[0] <= 6
    assert max(waits) <= LONGEST_WAIT_S
    assert 3600 < sum(waits) < 3 * 3600, "an outage of an hour is outlived"
    assert pause_s(1, 10**6) == LONGEST_WAIT_S


def test_what_a_killed_worker_was_sending_is_sent_after_a_while(channel, hook: Hook) -> None:
    delivery = trial(channel(hook))
    assert Delivery.objects.claim(delivery.pk)
    assert delivered() == []
    pass_time(minutes=6)
    delivered()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, len(hook.came)) == ("sent", 2, 1)


def test_one_that_was_taken_over_does_not_write_its_end(channel, hook: Hook) -> None:
    delivery = trial(channel(hook))
    late = Delivery.objects.claim(delivery.pk)
    pass_time(minutes=6)
    assert Delivery.objects.claim(delivery.pk)
    assert late.ended(state="failed") is False
    assert Delivery.objects.get().state == SENDING


def test_an_e_mail_reaches_all_addresses(channel, settings) -> None:
    with Mailbox() as box:
        use(settings, box)
        channel(shape="email", addresses=["one@example.org", "two@example.org"])
        raise_alert("budget", "Acme\nBcc: evil@example.org", "spent")
        delivered()
    (mail,) = box.mails
    assert mail["subject"] == "[Gatewayz] Firing: Budget, Acme Bcc: evil@example.org"
    assert mail["from"] == "alerts@example.org"
    assert box.recipients == [["one@example.org", "two@example.org"]]
    assert "Firing: Budget, Acme" in mail.get_content()
    assert mail["message-id"].endswith("@example.org>")


def test_a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(
    channel, settings
) -> None:
    with Mailbox("451 try later", "550 no such user") as box:
        use(settings, box)
        channel(shape="email", addresses=["one@example.org"])
        raise_alert("budget", "Acme", "spent")
        assert "again in" in delivered()[0]
        pass_time(minutes=1)
        assert "failed: the mail server said 550" in delivered()[0]
    assert box.mails == []


def test_a_mail_server_that_is_dead_is_asked_again(channel, settings) -> None:
    box = Mailbox()
    use(settings, box)
    channel(shape="email", addresses=["one@example.org"])
    raise_alert("budget", "Acme", "spent")
    assert "again in" in delivered()[0]


def test_without_a_mail_server_it_fails_and_says_so(channel) -> None:
    channel(shape="email", addresses=["one@example.org"])
    raise_alert("budget", "Acme", "spent")
    delivered()
    assert Delivery.objects.get().problem == "no e-mail is set up here: EMAIL_URL is not set"


def use(settings, box: Mailbox) -> None:
    settings.EMAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
    settings.DEFAULT_FROM_EMAIL = "alerts@example.org"


def test_the_address_is_stored_encrypted_and_shown_masked(channel, hook: Hook) -> None:
    row = channel(hook)
    stored = Channel.objects.get()
    assert "services" not in stored.url
    assert stored.target() == hook.url
    assert stored.shown == f"http://127.0.0.1:{hook._server.server_port}/…cret"
    stored.name = "renamed"
    stored.save()
    assert Channel.objects.get().target() == hook.url
    assert row.shown == stored.shown


@pytest.mark.parametrize("url", ["ftp://x/y", "https://", "https://user:pw@x/y", "nonsense"])
def test_an_address_that_makes_no_sense_is_refused(channel, url: str) -> None:
    with pytest.raises(ValidationError):
        channel(url)


def test_a_channel_needs_what_its_shape_needs(channel) -> None:
    with pytest.raises(ValidationError, match="needs an address"):
        channel(shape="email")
    with pytest.raises(ValidationError, match="needs an address"):
        channel("")
    with pytest.raises(ValidationError, match="no e-mail address"):
        channel(shape="email", addresses=["nobody"])

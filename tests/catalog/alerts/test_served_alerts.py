"""Alerts under `serve`: found by the schedule, sent by Celery, edited and tried out in admin."""

from collections.abc import Iterator

import pytest

from tests.gatewayz.test_crash import wait_until
from tests.servers import new_database
from tests.upstreams.hooks import Hook, Mailbox, Said
from tests.upstreams.listings import Lists, Page, Stock
from tests.world.browser import Browser
from tests.world.gateway import Gateway

QUICK = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every = IntervalSchedule.objects.get_or_create(every=1, period="seconds")[0]
task = PeriodicTask.objects.get(name="Look for alerts")
task.interval = every
task.save()
"""
CHANNELS = """
from catalog.alerts.models import Channel
Channel.objects.create(name="chat", shape="slack", url={url!r}, private_network=True)
Channel.objects.create(name="post", shape="email", addresses=["oncall@example.org"])
"""
STORM = """
from django.utils import timezone
from catalog.evidence.models import OfferHealth
from catalog.models import Model, Offer
from providers.models import Provider
groq = Provider.objects.get(slug="groq")
models = Model.objects.bulk_create([Model(model_id=f"storm/{n}") for n in range(1000)])
offers = [Offer(model=m, provider=groq, upstream_id=m.model_id) for m in models]
rows = Offer.objects.bulk_create(offers)
now = timezone.now()
OfferHealth.objects.bulk_create(
    [OfferHealth(offer=row, state="down", down_since=now, hard_failures=3) for row in rows]
)
"""
STATES = "SELECT kind, subject, state FROM alerts_alert ORDER BY id"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with Hook(Said(500)) as running:  # the first try fails
        yield running


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql and valkey"])
def watched(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    migrated,
    hook: Hook,
    box: Mailbox,
) -> Iterator[Gateway]:
    more = {}
    if request.param != "sqlite":
        more["database_url"] = new_database(request.getfixturevalue("postgres_url"))
        more["redis_url"] = request.getfixturevalue("valkey_url")
    env = {"EMAIL_URL": box.url, "EMAIL_FROM": "gatewayz@example.org"}
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, template=migrated, env=env, **more) as served:
        shell(served, QUICK)
        shell(served, CHANNELS.format(url=hook.url))
        yield served


def shell(gateway: Gateway, code: str) -> None:
    gateway.manage("shell", "--no-imports", "-c", code)


def test_a_held_back_sync_reaches_people_and_so_does_its_end(
    watched: Gateway, hook: Hook, box: Mailbox
) -> None:
    hook.came.clear()
    box.mails.clear()
    hook.script[:] = [Said(500)]
    stock = Stock("openrouter", count=20)
    with Lists() as lists:
        entry = {
            "parser": stock.parser,
            "url": lists.add("/openrouter/models", stock),
            "auth": "none",
        }
        row = {"private_network": True, "listing": [entry], "guards": {}}
        watched.apply({"version": 1, "providers": {"openrouter": row}})
        watched.manage("sync_catalog", "openrouter")
        lists.shelves["/openrouter/models"] = lambda asked: Page(stock.envelope([]))
        watched.manage("sync_catalog", "openrouter", check=False)
        (mail,) = box.wait_for(1, 20)
        assert mail["subject"] == "[Gatewayz] Firing: Changeset held back, openrouter"
        assert "the list is empty" in mail.get_content()
        first, again = hook.wait_for(2, 60)
        assert first["text"] == again["text"] == "Firing: Changeset held back, openrouter"

        (held,) = watched.rows("SELECT id FROM syncs_changeset WHERE state = 'quarantined'")
        admin = Browser(watched)
        decide(admin, "syncs/changeset", held["id"], "reject")
        admin.close()
        assert "Resolved" in box.wait_for(2, 20)[1]["subject"]
    assert [row["state"] for row in watched.rows(STATES)][-1] == "resolved"


def decide(admin: Browser, page: str, pk: int, action: str) -> str:
    """Run an action of a list page on one row; return the page that comes of it."""
    path = f"/admin/{page}/"
    form = {"action": action, "_selected_action": str(pk), "index": "0"}
    token = admin.http.get(path).text.partition('name="csrfmiddlewaretoken" value="')[2]
    form["csrfmiddlewaretoken"] = token.partition('"')[0]
    done = admin.http.post(path, data=form)
    assert done.status_code == 302, done.text[:2000]
    return admin.http.get(done.headers["location"]).text


def test_an_admin_sends_a_test_message_and_acknowledges(
    watched: Gateway, hook: Hook, box: Mailbox
) -> None:
    admin = Browser(watched)
    before = len(hook.came)
    (channel,) = watched.rows("SELECT id FROM alerts_channel WHERE name = 'chat'")
    page = decide(admin, "alerts/channel", channel["id"], "send_test")
    assert "Being sent" in page
    assert hook.url not in page
    assert hook.wait_for(before + 1, 20)[-1]["text"] == "Test message from Gatewayz"
    sent = "SELECT count(*) AS n FROM alerts_delivery WHERE state = 'sent' AND title = ?"
    wait_until(lambda: watched.rows(sent, "Test message from Gatewayz")[0]["n"] >= 1)

    admin.save(f"/admin/alerts/channel/{channel['id']}/change/", name="chat room")
    shown = admin.http.get(f"/admin/alerts/channel/{channel['id']}/change/").text
    assert hook.url not in shown
    assert "/…cret" in shown
    page = decide(admin, "alerts/channel", channel["id"], "send_test")
    assert hook.wait_for(before + 2, 20), "saving the form keeps the address"
    admin.close()


def test_a_storm_is_one_message(watched: Gateway, hook: Hook, box: Mailbox) -> None:
    mails, posts = len(box.mails), len(hook.came)
    shell(watched, STORM)
    mail = box.wait_for(mails + 1, 30)[-1]
    assert mail["subject"].startswith("[Gatewayz] Alerts: 1,000 firing. Offer down (1,000)")
    assert "and 980 more" in mail.get_content()
    hook.wait_for(posts + 1, 30)
    admin = Browser(watched)
    assert "1,000" in admin.http.get("/admin/alerts/alert/").text.replace("1000", "1,000")
    (row,) = watched.rows("SELECT id FROM alerts_alert WHERE subject = 'storm/7 at groq'")
    assert "1 acknowledged" in decide(admin, "alerts/alert", row["id"], "acknowledge")
    admin.close()
    shell(
        watched,
        "from catalog.models import Model; "
        "Model.objects.filter(model_id__startswith='storm/').delete()",
    )
    assert "1,000 resolved" in box.wait_for(mails + 2, 30)[-1]["subject"]
    assert len(box.mails) == mails + 2


def test_what_was_sent_is_swept_and_the_pages_open(watched: Gateway) -> None:
    admin = Browser(watched)
    for page in ("alert", "alertrule", "channel", "delivery"):
        assert admin.http.get(f"/admin/alerts/{page}/").status_code == 200
    admin.close()


def test_without_a_mail_server_the_page_of_channels_says_so(gateway: Gateway) -> None:
    admin = Browser(gateway)
    page = admin.http.get("/admin/alerts/channel/").text
    assert "E-mails are not sent" in page
    assert "EMAIL_URL is not set" in page
    admin.close()

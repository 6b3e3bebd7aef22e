"""What admins decide: changesets that were held back, and which models are one."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from catalog.loading import load
from catalog.models import Model, Offer
from catalog.syncs import mapping
from catalog.syncs.models import Changeset, ModelMapping, SyncRun
from catalog.syncs.tasks import sync_provider
from providers.models import Provider
from tests.catalog.syncs.conftest import listed_ids, synced
from tests.forms import errors, save
from tests.upstreams.listings import Lists, Stock

pytestmark = pytest.mark.django_db


def act(client: Client, page: str, action: str, *rows: object) -> None:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    assert client.post(reverse(f"admin:{page}_changelist"), data).status_code == 302


@pytest.fixture
def held(listing) -> Changeset:
    stock = Stock("openrouter", count=10)
    provider = listing(stock)
    synced(provider)
    stock.rows = [*stock.rows[:4], stock.row(50)]
    synced(provider)
    return Changeset.objects.get(state="quarantined")


def test_what_an_admin_applies_is_what_was_shown(held: Changeset, admin_client: Client) -> None:
    url = reverse("admin:syncs_changeset_change", args=[held.pk])
    assert b"max_drop_percent is 50" in admin_client.get(url).content
    act(admin_client, "syncs_changeset", "apply", held)
    held.refresh_from_db()
    assert (held.state, held.decided_by, held.run.state) == ("applied", "admin", "applied")
    assert len(listed_ids(held.run.provider)) == 5
    assert "org-50/openrouter-50" in load().offers
    assert "org-9/openrouter-9" not in load().offers
    assert synced(held.run.provider).state == "unchanged"


def test_what_an_admin_rejects_changes_nothing(held: Changeset, admin_client: Client) -> None:
    before = load().offers
    act(admin_client, "syncs_changeset", "reject", held)
    held.refresh_from_db()
    assert (held.state, held.decided_by) == ("rejected", "admin")
    act(admin_client, "syncs_changeset", "apply", held)
    assert load().offers == before


def test_a_later_run_takes_the_place_of_what_waited(held: Changeset) -> None:
    run = synced(held.run.provider)
    held.refresh_from_db()
    assert (held.state, held.decided_by) == ("rejected", f"superseded by run {run.pk}")
    assert Changeset.objects.filter(state="quarantined").count() == 1


def test_a_running_sync_is_asked_to_stop(listing, admin_client: Client) -> None:
    run = SyncRun.objects.claim(listing(Stock("groq")))
    act(admin_client, "syncs_syncrun", "cancel", run)
    assert not run.alive()


def test_one_model_at_two_providers_by_its_hugging_face_id(listing) -> None:
    hub, router = Stock("huggingface", count=2), Stock("openrouter", count=1)
    router.rows[0]["hugging_face_id"] = hub.ids()[0]
    synced(listing(hub))
    synced(listing(router))
    offers = load().offers[hub.ids()[0]]
    assert [offer.slug for offer in offers] == ["huggingface", "openrouter"]


def test_a_confirmed_match_moves_the_offer_and_stays(listing, admin_client: Client) -> None:
    groq = Stock("groq", count=1)
    groq.rows[0]["id"] = "llama-3.3-70b-versatile"
    best = Model.objects.create(model_id="meta-llama/Llama-3.3-70B-Instruct")
    hub = Provider.objects.get(slug="huggingface")
    Offer.objects.create(model=best, provider=hub, upstream_id=best.model_id)
    provider = listing(groq)
    synced(provider)
    assert [m.other.model_id for m in mapping.matches()] == ["groq/llama-3.3-70b-versatile"]
    answer = admin_client.get(reverse("admin:syncs_modelmapping_confirm_likely"), follow=True)
    assert b"groq/llama-3.3-70b-versatile may be meta-llama" in answer.content
    add = reverse("admin:syncs_modelmapping_add")
    ids = {"provider": str(provider.pk), "model": str(best.pk)}
    assert errors(save(admin_client, add, upstream_id="llama-3.3-70b-versatile", **ids)) == ""
    assert [offer.slug for offer in load().offers[best.model_id]] == ["groq", "huggingface"]
    assert not Model.objects.filter(model_id="groq/llama-3.3-70b-versatile").exists()
    Offer.objects.filter(provider=provider).delete()
    synced(provider)
    assert Offer.objects.get(provider=provider).model == best
    assert ModelMapping.objects.count() == 1
    assert list(mapping.matches()) == []


def test_models_are_merged_from_their_list(listing, admin_client: Client) -> None:
    provider = listing(Stock("groq", count=1))
    synced(provider)
    first = Model.objects.create(model_id="aaa/first")
    act(admin_client, "catalog_model", "merge", first, Model.objects.get(model_id="groq/groq-0"))
    assert Offer.objects.get(provider=provider).model == first


def test_a_model_is_known_by_its_providers_id_too(listing) -> None:
    from catalog.naming import Reader
    from catalog.trace import SILENT

    hub, router = Stock("huggingface", count=1), Stock("openrouter", count=1)
    router.rows[0]["hugging_face_id"] = hub.ids()[0]
    synced(listing(hub))
    synced(listing(router))
    target = Reader(load(), SILENT).find(router.ids()[0])
    assert (target.model_id, target.pin) == (hub.ids()[0], None)


def test_the_command_tells_a_line_per_page_and_a_row_per_provider(listing) -> None:
    listing(Stock("portkey", count=250))
    out = StringIO()
    call_command("sync_catalog", "portkey", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[:3] == [f"portkey: page {n}, {m} rows, {m} models" for n, m in PAGES]
    assert lines[3].split()[:3] == ["Provider", "State", "Rows"]
    assert lines[4].split()[:4] == ["portkey", "applied", "250", "250"]


PAGES = ((1, 100), (2, 200), (3, 250))


def test_the_command_fails_with_one_provider_and_syncs_the_others(listing, lists: Lists) -> None:
    listing(Stock("groq"))
    listing(Stock("novita"), lists.shelves["/groq/models"])
    lists.shelves.pop("/novita/models")
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2 syncs"):
        call_command("sync_catalog", "groq", "novita", stdout=out)
    assert Offer.objects.filter(provider__slug="groq").count() == 19
    with pytest.raises(CommandError, match="no provider is called nope; there are"):
        call_command("sync_catalog", "nope")


def test_counts_say_what_each_gateway_has(listing) -> None:
    stock = Stock("novita")
    stock.rows.append(stock.row(0))
    synced(listing(stock))
    Provider.objects.exclude(slug__in=["novita", "echo"]).update(enabled=False)
    out = StringIO()
    call_command("gateway_counts", stdout=out)
    lines = {line.split()[0]: line.split()[1:] for line in out.getvalue().splitlines()}
    assert lines["Gateway"] == ["Total", "Unique", "Duplicates", "Status"]
    assert lines["novita"] == ["6", "5", "1", "applied"]
    assert lines["groq"][-1] == "off"


def test_counts_fail_when_a_gateway_lacks_what_it_should_have(listing) -> None:
    Provider.objects.exclude(slug="novita").update(enabled=False)
    out = StringIO()
    with pytest.raises(CommandError, match="without models: novita"):
        call_command("gateway_counts", "--json", stdout=out)
    rows = {row["gateway"]: row for row in json.loads(out.getvalue())}
    assert rows["novita"]["status"] == "not synced"


def test_the_task_says_what_came_of_it(listing) -> None:
    provider = listing(Stock("novita"))
    assert sync_provider(provider.pk) == "novita: applied, 5 added"
    assert sync_provider(10**6) == "no provider has the number 1000000"


def test_an_export_holds_what_admins_said_and_not_what_was_listed(listing) -> None:
    from gatewayz.configfile.exporting import export

    stock = Stock("openrouter", count=4)
    provider = listing(stock)
    synced(provider)
    assert "openrouter-1" not in export()
    offer = Offer.objects.get(upstream_id=stock.ids()[1])
    offer.input_price = 3
    offer.save()
    text = export()
    assert "org-1/openrouter-1" in text
    assert "openrouter-2" not in text


def test_a_pruning_file_takes_nothing_that_was_listed(listing) -> None:
    from gatewayz.configfile.applying import apply

    stock = Stock("openrouter", count=4)
    provider = listing(stock)
    synced(provider)
    text = "version: 1\nmodels:\n  org-1/openrouter-1: {offers: []}\n"
    apply(text.encode(), prune=True)
    assert len(listed_ids(provider)) == 4
    assert not Model.objects.filter(model_id="echo").exists()

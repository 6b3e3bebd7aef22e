from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.ledger.credits import credit
from billing.models import Account, ApiKey, Plan, UsageRow
from catalog.models import BlockRule, Model, ModelAlias, Offer
from providers.models import Provider
from providers.panels import Given

MOST_QUERIES = 15
ADDED_ONLY = {"catalog.pricerecord"}  # never changed afterwards
PAGES = {model._meta.label_lower: model for model in admin.site._registry}

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db) -> None:
    """At least a dozen rows of what grows, so that a query per row shows."""
    account = Account.objects.create(name="Acme", plan=Plan.objects.get(name="default"))
    credit(account, 10**9, "welcome", "admin")
    providers = list(Provider.objects.all()[:12])
    for number, provider in enumerate(providers):
        model = Model.objects.create(model_id=f"org/model-{number}")
        Offer.objects.create(model=model, provider=provider, upstream_id="x", input_price=1)
        ModelAlias.objects.create(alias=f"m{number}", target=model.model_id)
        BlockRule.objects.create(pattern=f"bad-{number}/*", provider=provider, reason="broken")
        ApiKey.issue(account, f"key {number}")
        Account.objects.create(name=f"Branch {number}", plan=account.plan)
        UsageRow.objects.create(
            request_id=f"req-{number}",
            created_at=timezone.now(),
            account=account,
            key_id="k",
            endpoint="chat",
            asked_model="m",
            provider=provider.slug,
            status=200,
            outcome="answered",
            usage_source="upstream",
            cost_nano=number,
        )


def address(label: str, page: str, *args: object) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


@pytest.mark.parametrize("label", PAGES)
def test_every_list_opens_with_few_queries(label: str, admin_client: Client, world) -> None:
    url = address(label, "changelist")
    admin_client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert admin_client.get(url).status_code == 200
    assert len(queries) <= MOST_QUERIES, [query["sql"][:150] for query in queries]


@pytest.mark.parametrize("label", PAGES)
def test_every_list_can_be_searched_and_filtered(label: str, admin_client: Client, world) -> None:
    page = admin.site._registry[PAGES[label]]
    url = address(label, "changelist")
    searches = ["?q=a"] if page.search_fields else []
    for query in [*searches, *filters(admin_client.get(url))]:
        assert admin_client.get(url + query).status_code == 200, query


def filters(response: HttpResponse) -> Iterator[str]:
    """Yield the query of each filter's second choice, of all that a list has."""
    changelist = response.context["cl"]
    for spec in changelist.filter_specs:
        yield from [choice["query_string"] for choice in spec.choices(changelist)][1:2]


@pytest.mark.parametrize("label", PAGES)
def test_every_form_opens(label: str, admin_client: Client, world) -> None:
    page = admin.site._registry[PAGES[label]]
    row = PAGES[label].objects.first()
    if row is not None:
        assert admin_client.get(address(label, "change", row.pk)).status_code == 200
    added = admin_client.get(address(label, "add")).status_code
    adds = label in ADDED_ONLY or not isinstance(page, Given)
    assert added == (200 if adds else 403)


def test_the_sidebar_names_the_groups_and_only_what_one_may_see(
    admin_client: Client, client: Client
) -> None:
    titles = [group["title"] for group in sidebar(admin_client)]
    assert titles == ["Providers", "Catalogue", "Syncs", "Customers", "Operations"]
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert sidebar(client) == []


def sidebar(client: Client) -> list[dict]:
    return client.get(reverse("admin:index")).context["sidebar_navigation"]


def test_periodic_tasks_wear_our_clothes(admin_client: Client) -> None:
    text = admin_client.get(reverse("admin:django_celery_beat_periodictask_add")).content.decode()
    assert 'name="regtask"' in text
    assert "border-base-200" in text
